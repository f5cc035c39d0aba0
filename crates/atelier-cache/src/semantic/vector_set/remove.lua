-- Removes jobs.
-- KEYS: used, until, and every set of vectors. ARGV: jobs.
redis.call('ZREM', KEYS[1], unpack(ARGV))
redis.call('ZREM', KEYS[2], unpack(ARGV))
for n = 3, #KEYS do
  for _, job in ipairs(ARGV) do
    redis.call('VREM', KEYS[n], job)
  end
end
