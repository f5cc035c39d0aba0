-- Returns the schedules that are due.
-- KEYS: the prefix of every key. ARGV: now, limit.
local all = {}
for _, revision in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1] .. ':due', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  all[#all + 1] = read(revision) or nil
end
return all
