-- Deletes a schedule. Returns whether there was one.
-- KEYS: the prefix of every key. ARGV: owner, id.
local index = KEYS[1] .. ':schedules:' .. ARGV[1]
local revision = redis.call('HGET', index, ARGV[2])
if not revision then
  return 0
end
redis.call('HDEL', index, ARGV[2])
redis.call('DEL', KEYS[1] .. ':schedule:' .. revision, KEYS[1] .. ':fired:' .. revision)
redis.call('ZREM', KEYS[1] .. ':due', revision)
return 1
