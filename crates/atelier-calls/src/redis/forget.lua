-- Forgets contents of calls.
--
-- KEYS[1]  the contents by the ids of their calls
-- KEYS[2]  the ids by when the contents were noted
-- ARGV[1]  those that were noted before then, in Unix milliseconds
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1])) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
