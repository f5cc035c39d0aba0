-- Removes entries, or the records of expired ones. Returns how many, and how many were
-- checked.
-- KEYS: used, the prefix of entries' keys. ARGV: 'all' or 'expired', limit, the first.
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
