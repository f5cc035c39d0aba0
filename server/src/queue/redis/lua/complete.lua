-- Finishes delivering jobs. ARGV[1]: 1 if no id is there twice; then for each:
-- id, token, now. Answers a number for each (how many jobs it finished; 0: it
-- was finished before; negative: why not), and the jobs, each leader before
-- its followers.

local STRIDE = 3
local ids = every(STRIDE, 2)

-- The jobs finished, and which of them took the long way.
local told, heads, special, forgotten = {}, {}, {}, {}

local function report(row)
  local n = #told + 1
  told[n], heads[n], special[n] = row[ID], texts[row[ID]], row
end

-- Makes the record of a leader what its owner, who has left it, wanted. It is
-- answered as it ended.
local function withdraw(row)
  if mark(row, WITHDRAWN) == 'd' then
    rows[row[ID]] = false
    forgotten[#forgotten + 1] = row
  else
    row[STATUS] = 'c'
    write(row)
    close(row)
  end
end

local function finish(row, now)
  row[STATUS], row[FINISHED] = row[ENDED], now
  hush(row)
  due_out[#due_out + 1] = row[ID]
  local followers, before = change(row) or {}, #told
  report(row)
  if mark(row, WITHDRAWN) == '-' then
    close(row)
  else
    withdraw(row)
  end
  for i = 1, #followers do
    if rows[followers[i]] then
      report(rows[followers[i]])
    end
  end
  return #told - before
end

local function complete(i)
  local row = rows[ARGV[i]]
  if row and OVER[row[STATUS]] then
    return 0
  end
  local row, refusal = held(ARGV[i], ARGV[i + 1])
  if not row then
    return -refusal
  elseif row[STATUS] ~= 'd' then
    return -ILLEGAL - STATES[row[STATUS]]
  end
  return finish(row, tonumber(ARGV[i + 2]))
end

local counts, short = {}, ARGV[1] == '1'
local found = read_all('head', ids)
for n = 1, #ids do
  local id, text, i = ids[n], found[n], n * STRIDE - 1
  local status, cache, outcome, marks, attempt, deliveries, version, token, started, _, vt, band, lane
  if short and sane(text) then
    status, cache, outcome, marks, attempt, deliveries, version, token, started, _, vt, band, lane =
      parse(HEAD, text)
  end
  if status == 'd' and marks == PLAIN and token == tonumber(ARGV[i + 1]) then
    -- The short way to what `complete` does.
    local k = #told + 1
    local now = ARGV[i + 2]
    local head = pack(HEAD, outcome, cache, outcome, marks, attempt, deliveries, version + 1, token, started,
      tonumber(now), vt, band, #lane, lane)
    told[k], heads[k], due_out[#due_out + 1], changed[#changed + 1] = id, head, id, id
    add(heads_in, id, head)
    add(finished_in, now, id)
    if outcome == 'f' then
      add(dead_in, '0', id)
    end
    counts[n] = 1
  else
    know(id, text)
    counts[n] = complete(i)
  end
end
commit()
local columns = tell(told, heads, special, true)
for _, row in ipairs(forgotten) do
  remove(row)
end
return { counts, columns }
