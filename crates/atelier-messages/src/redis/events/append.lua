-- Adds events of owners.
-- KEYS: the prefix of every key.
-- ARGV: how many each owner keeps; then for each owner: the owner, how many, the members.
-- Events that one command adds.
local CHUNK = 1000

local most, i = tonumber(ARGV[1]), 2
while i < #ARGV do
  local owner, last = ARGV[i], i + 1 + ARGV[i + 1]
  local key = KEYS[1] .. ':events:' .. owner
  for first = i + 2, last, CHUNK do
    local scored = {}
    for n = first, math.min(first + CHUNK - 1, last) do
      scored[#scored + 1], scored[#scored + 2] = '0', ARGV[n]
    end
    redis.call('ZADD', key, unpack(scored))
  end
  local over = redis.call('ZCARD', key) - most
  if over > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, over - 1)
  end
  redis.call('SADD', KEYS[1] .. ':owners', owner)
  i = last + 1
end
