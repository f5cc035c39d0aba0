-- Forgets a job. ARGV: id. Answers how it ended (a number), or the blobs that
-- no other job refers to.

local row, seen = seen_by_owner(ARGV[1])
if not row then
  return seen
elseif not OVER[seen] then
  return ILLEGAL + STATES[seen]
end
local orphans = {}
if OVER[row[STATUS]] then
  orphans = remove(row)
else
  -- It is carried on for its followers.
  local _, owner = about(row)
  set_mark(row, WITHDRAWN, 'd')
  write(row)
  call('ZREM', P .. 'owned:' .. owner, row[ID])
end
changed[#changed + 1] = row[ID]
commit()
return orphans
