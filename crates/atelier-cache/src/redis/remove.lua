-- Removes an entry if it has this value.
-- KEYS: used, the prefix of entries' keys. ARGV: digest, job.
local entry = redis.call('GET', KEYS[2] .. ARGV[1])
local whole, found = pcall(cjson.decode, entry or 'null')
-- An unreadable entry has no value.
if entry and (not whole or type(found) ~= 'table' or found[1] == ARGV[2]) then
  redis.call('DEL', KEYS[2] .. ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
end
