-- Adds events of owners.
-- KEYS: the prefix of every key.
-- ARGV: how many each owner keeps; then for each owner: the owner, how many, the members.
local most, i = tonumber(ARGV[1]), 2
while i < #ARGV do
  local owner, last = ARGV[i], i + 1 + ARGV[i + 1]
  local key = KEYS[1] .. ':events:' .. owner
  for n = i + 2, last do
    redis.call('ZADD', key, 0, ARGV[n])
  end
  local over = redis.call('ZCARD', key) - most
  if over > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, over - 1)
  end
  redis.call('SADD', KEYS[1] .. ':owners', owner)
  i = last + 1
end
