-- Finishes delivering jobs. For each: id, token, now. Answers a number for
-- each (how many jobs it finished; 0: it was finished before; negative: why
-- not), and the records, each leader before its followers.

local STRIDE = 3
local ids = every(STRIDE)
load_all(ids)

-- The rows finished; the head of a job whose owner has left it is answered as
-- it ended, and then becomes what they wanted.
local finished, heads, forgotten = {}, {}, {}

local function withdraw(row)
  heads[#finished] = texts[row[ID]]
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
  local followers = change(row)
  local before = #finished
  finished[before + 1] = row
  if mark(row, WITHDRAWN) == '-' then
    close(row)
  else
    withdraw(row)
  end
  for i = 1, #(followers or '') do
    finished[#finished + 1] = rows[followers[i]] or nil
  end
  return #finished - before
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

local counts = {}
for n = 1, #ids do
  counts[n] = complete((n - 1) * STRIDE + 1)
end
commit()
local records = tell({}, finished, heads)
for _, row in ipairs(forgotten) do
  remove(row)
end
return { counts, records }
