-- Begins the next generation of an owner's signing keys, and returns it.
-- KEYS: the prefix of every key. ARGV: owner.
return redis.call('HINCRBY', KEYS[1] .. ':generations', ARGV[1], 1)
