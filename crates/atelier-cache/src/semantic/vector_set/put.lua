-- Stores the vector of a job. Returns the least recently used jobs over the maximum.
-- KEYS: vectors, lengths, used, until.
-- ARGV: job, vector (FP32), attributes (JSON), its length, now (ms), until (s), most.
redis.call('VADD', KEYS[1], 'FP32', ARGV[2], ARGV[1], 'Q8', 'SETATTR', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[6], ARGV[1])
return redis.call('ZRANGE', KEYS[3], 0, -1 - ARGV[7])
