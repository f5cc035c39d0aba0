-- Cancels a job. ARGV: id, now. Answers how it ended (a number), or whether
-- no call had been begun (0 or 1), the record, and the blobs that nobody refers
-- to any more.

-- Takes a queued or running job out of its lane.
local function stop(row)
  local name, id = row[LANE], row[ID]
  if mark(row, ROLE) ~= 'f' then
    if row[STATUS] == 'r' then
      ended(name, 1)
    elseif row[ATTEMPT] == 0 then
      local cost, owner = about(row)
      set_finish(name, owner, finish_of(name, owner) - cost)
    end
    call('ZREM', P .. 'ready:' .. name, id)
    due_out[#due_out + 1] = id
  end
  row[STATUS] = 'c'
  hush(row)
  change(row)
  close(row)
end

-- Stops a withdrawn leader that nobody waits for any more. An outcome that is
-- recorded already is delivered all the same. Returns the blobs that nobody
-- refers to any more.
local function abandon(id)
  local row = load(id)
  if not row or mark(row, WITHDRAWN) == '-' or (row[STATUS] ~= 'q' and row[STATUS] ~= 'r')
    or call('EXISTS', P .. 'followers:' .. id) == 1 then
    return {}
  end
  stop(row)
  return mark(row, WITHDRAWN) == 'd' and remove(row) or {}
end

local row, seen = seen_by_owner(ARGV[1])
if not row then
  return seen
elseif seen ~= 'q' and seen ~= 'r' then
  return ILLEGAL + STATES[seen]
end
local before_call = (seen == 'q' or row[CACHE] == 'j') and 1 or 0
row[FINISHED] = tonumber(ARGV[2])
if call('EXISTS', P .. 'followers:' .. row[ID]) == 1 then
  set_mark(row, WITHDRAWN, 'c')
  change(row)
else
  stop(row)
end
local orphans = {}
if mark(row, ROLE) == 'f' then
  local leader = open(row).leader
  call('SREM', P .. 'followers:' .. leader, row[ID])
  orphans = abandon(leader)
end
work = true
commit()
return { before_call, tell_all({ row }), orphans }
