-- Deletes a group. Returns whether there was one.
-- KEYS: the prefix of every key. ARGV: owner, name.
return redis.call('HDEL', KEYS[1] .. ':groups:' .. ARGV[1], ARGV[2])
