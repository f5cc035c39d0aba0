-- Removes endpoints of a group, and the group with its last one. Returns whether there was
-- such a group.
-- KEYS: the prefix of every key. ARGV: owner, name, now; then 'url' or 'name' and which.
local key, name = KEYS[1] .. ':groups:' .. ARGV[1], ARGV[2]
local record = redis.call('HGET', key, name)
if not record then
  return 0
end
local group, gone, endpoints = cjson.decode(record), { url = {}, name = {} }, {}
for i = 4, #ARGV, 2 do
  gone[ARGV[i]][ARGV[i + 1]] = true
end
for _, endpoint in ipairs(group.endpoints) do
  if not gone.url[endpoint.url] and not (endpoint.name and gone.name[endpoint.name]) then
    endpoints[#endpoints + 1] = endpoint
  end
end
if #endpoints == 0 then
  redis.call('HDEL', key, name)
  return 1
end
group.endpoints, group.updated_at = endpoints, ARGV[3]
redis.call('HSET', key, name, cjson.encode(group))
return 1
