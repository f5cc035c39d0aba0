-- Returns the entry of a digest. Records its use, if the last recorded use is old enough.
-- KEYS: used, the prefix of entries' keys. ARGV: digest, now, that age (ms).
local entry = redis.call('GET', KEYS[2] .. ARGV[1])
if entry then
  local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not used or tonumber(ARGV[2]) - tonumber(used) > tonumber(ARGV[3]) then
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
  end
end
return entry
