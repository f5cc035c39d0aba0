-- Extends the leases of permits. Those that are not held any more are taken again, whatever
-- the limit: their calls are in flight.
--
-- KEYS[1]  the permits that are held, by the end of their leases
-- ARGV[1]  how long a lease is, in milliseconds
-- ARGV     the permits
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
