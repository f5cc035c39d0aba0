-- The entry of a digest. That it was of use is noted now and then.
-- KEYS: used, what entries' keys begin with. ARGV: digest, now, worth noting after (ms).
local entry = redis.call('GET', KEYS[2] .. ARGV[1])
if entry then
  local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not used or tonumber(ARGV[2]) - tonumber(used) > tonumber(ARGV[3]) then
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
  end
end
return entry
