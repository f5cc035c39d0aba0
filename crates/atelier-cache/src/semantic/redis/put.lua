-- Stores the vector of a job, or its removal, as the latest change.
-- KEYS: number, order, records, ends. ARGV: job, record or '', kept until (ms).
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
