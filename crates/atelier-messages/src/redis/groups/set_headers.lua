-- Sets the header fields of a group. Returns whether there is one.
-- KEYS: the prefix of every key. ARGV: owner, name, now, the fields (JSON).
local key, name = KEYS[1] .. ':groups:' .. ARGV[1], ARGV[2]
local record = redis.call('HGET', key, name)
if not record then
  return 0
end
local group, headers = cjson.decode(record), cjson.decode(ARGV[4])
-- An empty list would be written as an object.
group.headers = #headers > 0 and headers or nil
group.updated_at = ARGV[3]
redis.call('HSET', key, name, cjson.encode(group))
return 1
