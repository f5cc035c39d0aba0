-- Adds statistics to the store.
--
-- KEYS[1]  the prefix of every key, up to the hash tag
-- ARGV[1]  for how many milliseconds they are kept
-- ARGV[2]  how many names are kept of each policy and hour
-- ARGV     for each policy and hour: the policy, the hour, allowed, rejected, the number
--          of names, and each name with its times
--
-- Each hour has a hash FIGURES:HOUR of "a:POLICY" and "r:POLICY", and for each policy in
-- it a sorted set REJECTED:HOUR:POLICY of names.
local keep, names = ARGV[1], tonumber(ARGV[2])
local i = 3
while i <= #ARGV do
  local policy, hour, allowed, rejected = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local figures = KEYS[1] .. ':figures:' .. hour
  redis.call('HINCRBY', figures, 'a:' .. policy, allowed)
  redis.call('HINCRBY', figures, 'r:' .. policy, rejected)
  redis.call('PEXPIRE', figures, keep)
  local count = tonumber(ARGV[i + 4])
  i = i + 5
  if count > 0 then
    local who = KEYS[1] .. ':rejected:' .. hour .. ':' .. policy
    for _ = 1, count do
      redis.call('ZINCRBY', who, ARGV[i + 1], ARGV[i])
      i = i + 2
    end
    redis.call('ZREMRANGEBYRANK', who, 0, -names - 1)
    redis.call('PEXPIRE', who, keep)
  end
end
