-- Takes a permit, if one is free and not due to a process that has waited for longer.
-- Returns whether it has been taken. Times are Redis' own, in milliseconds.
--
-- KEYS[1]  the permits that are held, by the end of their leases
-- KEYS[2]  the processes that wait, by the time since when
-- KEYS[3]  the same, by the time when they last asked
-- ARGV[1]  the process that asks
-- ARGV[2]  the permit
-- ARGV[3]  how many permits there are
-- ARGV[4]  how long a lease is
-- ARGV[5]  after how long a process that does not ask again does not wait any more
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local silent = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[5])
for _, process in ipairs(silent) do
  redis.call('ZREM', KEYS[2], process)
  redis.call('ZREM', KEYS[3], process)
end

-- One permit is left to each process before this one, so that they take turns.
local before = redis.call('ZRANK', KEYS[2], ARGV[1]) or redis.call('ZCARD', KEYS[2])
if ARGV[3] - redis.call('ZCARD', KEYS[1]) > before then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return 1
end
-- In microseconds, so that two hardly ever came at once.
redis.call('ZADD', KEYS[2], 'NX', time[1] * 1000000 + time[2], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 0
