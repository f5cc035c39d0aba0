-- Pauses a schedule, or resumes it if it is paused. Returns whether there is one.
-- KEYS: the prefix of every key. ARGV: owner, id, 1 to pause or 0, when it is due or ''.
local revision = redis.call('HGET', KEYS[1] .. ':schedules:' .. ARGV[1], ARGV[2])
if not revision then
  return 0
end
local key, due = KEYS[1] .. ':schedule:' .. revision, KEYS[1] .. ':due'
-- One that is not paused keeps its slot, which may not have been seen yet.
if redis.call('HGET', key, 'paused') == ARGV[3] then
  return 1
end
redis.call('HSET', key, 'paused', ARGV[3])
if ARGV[3] == '1' then
  redis.call('ZREM', due, revision)
  return 1
end
redis.call('HSET', key, 'due_at', ARGV[4])
if ARGV[4] ~= '' then
  redis.call('ZADD', due, ARGV[4], revision)
end
return 1
