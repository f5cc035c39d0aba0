-- Releases permits.
-- KEYS[1]  the permits that are held. ARGV: the permits
redis.call('ZREM', KEYS[1], unpack(ARGV))
