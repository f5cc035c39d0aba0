-- Adds endpoints to a group, and makes it if there is none. Returns its record, or nil if
-- there would be too many.
-- KEYS: the prefix of every key. ARGV: owner, name, now, most groups, most endpoints, the
-- endpoints (JSON).
local key, name, now = KEYS[1] .. ':groups:' .. ARGV[1], ARGV[2], ARGV[3]
local record = redis.call('HGET', key, name)
if not record and redis.call('HLEN', key) >= tonumber(ARGV[4]) then
  return false
end
local group = record and cjson.decode(record) or { name = name, created_at = now, endpoints = {} }
group.updated_at = now
for _, endpoint in ipairs(cjson.decode(ARGV[6])) do
  -- It takes the place of those that it replaces.
  local endpoints, placed = {}, false
  for _, other in ipairs(group.endpoints) do
    if other.url ~= endpoint.url and (not endpoint.name or other.name ~= endpoint.name) then
      endpoints[#endpoints + 1] = other
    elseif not placed then
      endpoints[#endpoints + 1] = endpoint
      placed = true
    end
  end
  if not placed then
    endpoints[#endpoints + 1] = endpoint
  end
  group.endpoints = endpoints
end
if #group.endpoints > tonumber(ARGV[5]) then
  return false
end
record = cjson.encode(group)
redis.call('HSET', key, name, record)
return record
