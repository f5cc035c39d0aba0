-- Returns an owner's schedules.
-- KEYS: the prefix of every key. ARGV: owner.
local all = {}
for _, revision in ipairs(redis.call('HVALS', KEYS[1] .. ':schedules:' .. ARGV[1])) do
  all[#all + 1] = read(revision) or nil
end
return all
