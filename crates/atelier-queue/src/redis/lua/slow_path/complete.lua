-- The slow path of finishing an item: `i` is the index of its id in ARGV, `text` its
-- head, `n` its number, `now` the instant.

-- Jobs to be deleted, by the item's number.
local forgotten = {}
-- Cancelled jobs that must not have an outcome, likewise.
local emptied = {}

local function report(row)
  local n = #told + 1
  told[n], heads[n], rows_at[n] = row[ID], text_of(row), row
end

-- Deletes a withdrawn leader's record or outcome, as its owner requested. The reply has
-- it as it ended.
local function withdraw(row, n)
  if mark(row, WITHDRAWN) == 'd' then
    rows[row[ID]] = false
    forgotten[n] = row
  else
    row[STATUS], row[ENDED] = 'c', '-'
    write(row)
    close(row)
    emptied[n] = row
  end
end

local function finish(row, now, n)
  row[STATUS], row[FINISHED] = row[ENDED], now
  hush(row)
  put('due', row[ID], false)
  local followers, before = change(row) or {}, #told
  local together = { row }
  for i = 1, #followers do
    local follower = rows[followers[i]]
    -- An unreadable one fails alone.
    if follower and follower[STATUS] ~= '?' then
      together[#together + 1] = follower
    end
  end
  note_all(together, 1)
  leave_gates(row, keys_of[row[ID]], now)
  report(row)
  if mark(row, WITHDRAWN) == '-' then
    close(row)
  else
    withdraw(row, n)
  end
  for i = 2, #together do
    report(together[i])
  end
  return #told - before
end

local function complete(i, text, n, now)
  local row = know(ARGV[i], text)
  if row and OVER[row[STATUS]] then
    return 0
  end
  local row, refusal = held(ARGV[i], ARGV[i + 1])
  if not row then
    return -refusal
  elseif row[STATUS] ~= 'd' then
    return -ILLEGAL - STATES[row[STATUS]]
  end
  return finish(row, now, n)
end

-- Marks the jobs finished on the fast path, with their heads, as changed and no longer
-- due.
local function others()
  local ids, their_heads = {}, {}
  for k = 1, #told do
    local id, n = told[k], #ids + 1
    if not rows_at[k] then
      ids[n], their_heads[n] = id, heads[k]
      put('due', id, false)
      changed[#changed + 1] = id
    end
  end
  return ids, their_heads
end

-- Writes everything. Returns the reply for the jobs, and the blobs without references:
-- a list for each of the items, or nothing.
local function conclude(items)
  commit()
  local columns, orphans = tell(told, heads, rows_at, true), {}
  if next(forgotten) or next(emptied) then
    for n = 1, items do
      orphans[n] = forgotten[n] and remove(forgotten[n]) or emptied[n] and forget_outcome(emptied[n]) or {}
    end
  end
  return columns, orphans
end

return { complete = complete, others = others, conclude = conclude }
