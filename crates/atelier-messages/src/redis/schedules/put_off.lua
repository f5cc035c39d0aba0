-- Puts off a schedule that is due at an instant.
-- KEYS: the prefix of every key. ARGV: revision, the instant, until when.
local key = KEYS[1] .. ':schedule:' .. ARGV[1]
if redis.call('HGET', key, 'due_at') == ARGV[2] then
  redis.call('HSET', key, 'due_at', ARGV[3])
  redis.call('ZADD', KEYS[1] .. ':due', ARGV[3], ARGV[1])
end
