-- Forgets entries, or what is known of those that have expired; how many, and
-- how many were looked at.
-- KEYS: used, what entries' keys begin with. ARGV: 'all' or 'expired', limit, the first.
local first = tonumber(ARGV[3])
local digests = redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[2]) - 1)
local gone = 0
for _, digest in ipairs(digests) do
  local key = KEYS[2] .. digest
  if ARGV[1] == 'all' then
    redis.call('DEL', key)
  end
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[1], digest)
    gone = gone + 1
  end
end
return { gone, #digests }
