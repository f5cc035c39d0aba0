-- The jobs with the ids in ARGV. Answers the records that exist, for each its
-- index (from 1) and the record.

load_all(ARGV)
local out, found = {}, {}
for i = 1, #ARGV do
  local row = rows[ARGV[i]]
  if row then
    out[#out + 1], found[#found + 1] = i, row
  end
end
return { out, tell_all(found) }
