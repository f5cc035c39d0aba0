-- A part of a list of jobs, newest first. ARGV: the list's name, '+' or '('
-- and the id before which it begins, the maximum number. Returns the last id of the
-- part, '' if the list ends with it, and the records.

local ids = call('ZREVRANGEBYLEX', P .. ARGV[1], ARGV[2], '-', 'LIMIT', 0, ARGV[3])
load_all(ids)
local found = {}
for i = 1, #ids do
  found[#found + 1] = rows[ids[i]] or nil
end
return { #ids == tonumber(ARGV[3]) and ids[#ids] or '', tell_all(found) }
