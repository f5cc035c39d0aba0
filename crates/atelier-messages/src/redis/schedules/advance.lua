-- Notes what a schedule published, and when it is due next. Returns whether it was due at
-- that instant.
-- KEYS: the prefix of every key.
-- ARGV: revision, the instant, the next one or '', what it published, how much of that is kept.
local key, due = KEYS[1] .. ':schedule:' .. ARGV[1], KEYS[1] .. ':due'
local state = redis.call('HMGET', key, 'paused', 'due_at')
if state[1] ~= '0' or state[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', key, 'due_at', ARGV[3])
if ARGV[3] == '' then
  redis.call('ZREM', due, ARGV[1])
else
  redis.call('ZADD', due, ARGV[3], ARGV[1])
end
local fired = KEYS[1] .. ':fired:' .. ARGV[1]
redis.call('LPUSH', fired, ARGV[4])
redis.call('LTRIM', fired, 0, ARGV[5] - 1)
return 1
