-- Forgets an entry if it leads to the job.
-- KEYS: used, what entries' keys begin with. ARGV: digest, job.
local entry = redis.call('GET', KEYS[2] .. ARGV[1])
local whole, found = pcall(cjson.decode, entry or 'null')
-- An entry that cannot be read leads to no job.
if entry and (not whole or type(found) ~= 'table' or found[1] == ARGV[2]) then
  redis.call('DEL', KEYS[2] .. ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
end
