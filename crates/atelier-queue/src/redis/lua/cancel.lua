-- Cancels a job. ARGV: id, now. Returns a refusal (a number), or the record, the blobs
-- without references, and the outbox entries of jobs that have ended.

-- Removes a queued or running job from its lane.
local function stop(row)
  local name, id = row[LANE], row[ID]
  if mark(row, ROLE) ~= 'f' then
    if row[STATUS] == 'r' then
      ended(name, 1)
    elseif row[ATTEMPT] == 0 and has_turn(row) then
      local cost, owner = about(row)
      set_finish(name, owner, finish_of(name, owner) - cost)
    end
    call('ZREM', P .. 'ready:' .. name, id)
    put('due', id, false)
  end
  row[STATUS] = 'c'
  hush(row)
  change(row)
  close(row)
end

-- Removes a follower, and stops a withdrawn leader that nobody waits for any more. An
-- outcome that is recorded already is delivered nevertheless. Returns the blobs without
-- references.
local function abandon(id, follower)
  local row = load(id)
  if not row or mark(row, WITHDRAWN) == '-' or (row[STATUS] ~= 'q' and row[STATUS] ~= 'r')
    or call('EXISTS', P .. 'followers:' .. id) == 1 then
    note_all({ follower }, 0)
    return {}
  end
  local paying = row[STATUS] == 'r' and 3 or 1
  stop(row)
  note_all({ row, follower }, paying)
  leave_gates(row, keys_of[id], tonumber(ARGV[2]))
  return mark(row, WITHDRAWN) == 'd' and remove(row) or {}
end

local row, seen = seen_by_owner(ARGV[1])
if not row then
  return seen
elseif seen ~= 'q' and seen ~= 'r' then
  return ILLEGAL + STATES[seen]
end
local shared = leader_of(row)
if shared then
  row[VERSION] = row[VERSION] + open(shared).reports - open(row).reports
end
row[FINISHED] = tonumber(ARGV[2])
local follows, orphans = mark(row, ROLE) == 'f', {}
if call('EXISTS', P .. 'followers:' .. row[ID]) == 1 then
  untrack(row)
  set_mark(row, WITHDRAWN, 'c')
  change(row)
  -- A leader whose call is in progress still owes it; otherwise a follower will.
  if seen == 'q' then
    note_all({ row }, 0)
    set_mark(row, UNCHARGED, 'y')
    write(row)
  end
else
  stop(row)
end
if follows then
  local leader = open(row).leader
  call('SREM', P .. 'followers:' .. leader, row[ID])
  orphans = abandon(leader, row)
elseif row[STATUS] == 'c' then
  note_all({ row }, seen == 'r' and 3 or 1)
  leave_gates(row, keys_of[row[ID]], tonumber(ARGV[2]))
end
work = true
commit()
return { tell_all({ row }), orphans, noted }
