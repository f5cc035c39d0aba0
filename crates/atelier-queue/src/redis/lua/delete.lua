-- Deletes a job. ARGV: id. Returns a refusal (a number), or the blobs without
-- references.

-- Deletes a job with an unreadable head, whatever it waits for.
local function forget(row)
  local _, _, _, lane = about(row)
  call('ZREM', P .. 'due', row[ID])
  call('ZREM', P .. 'ready:' .. lane, row[ID])
  -- Its links may be intact.
  set_mark(row, LINKED, 'y')
  local freed = free_gates(row, nil, 0)
  local orphans = remove(row)
  admit_all(freed, 0)
  changed[#changed + 1] = row[ID]
  commit()
  return orphans
end

local row, seen = seen_by_owner(ARGV[1])
if seen == UNREADABLE and call('EXISTS', P .. 'followers:' .. ARGV[1]) == 0 then
  return forget(load(ARGV[1]))
elseif not row then
  return seen
elseif not OVER[seen] then
  return ILLEGAL + STATES[seen]
end
local orphans = {}
if OVER[row[STATUS]] then
  orphans = remove(row)
else
  -- It continues for its followers.
  local _, owner = about(row)
  untrack(row)
  set_mark(row, WITHDRAWN, 'd')
  write(row)
  call('ZREM', P .. 'owned:' .. owner, row[ID])
end
changed[#changed + 1] = row[ID]
commit()
return orphans
