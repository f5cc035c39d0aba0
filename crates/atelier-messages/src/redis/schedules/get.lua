-- Returns a schedule.
-- KEYS: the prefix of every key. ARGV: owner, id.
return read(redis.call('HGET', KEYS[1] .. ':schedules:' .. ARGV[1], ARGV[2]))
