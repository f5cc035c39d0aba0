-- Keeps contents of calls, and forgets those that are too old or too many.
--
-- KEYS[1]  the contents by the ids of their calls
-- KEYS[2]  the ids by when the contents were noted
-- ARGV[1]  contents that were noted before then are forgotten, in Unix milliseconds
-- ARGV[2]  how many are kept
-- ARGV[3]  for how many milliseconds
-- ARGV     for each call: its id, when its contents were noted, the contents
for at = 4, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  redis.call('ZADD', KEYS[2], ARGV[at + 1], ARGV[at])
end
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1])
local many = redis.call('ZCARD', KEYS[2]) - #old - tonumber(ARGV[2])
if many > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], #old, #old + many - 1)) do
    old[#old + 1] = id
  end
end
for _, id in ipairs(old) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
