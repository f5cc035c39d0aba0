-- The long way of a claim: what has fallen due, and jobs that are not simple.

local wanted, now, lease_end = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- How often the list of what is due is read on.
local MOST_ROUNDS = 8

local function take(row)
  local n = #told + 1
  told[n], heads[n], rows_at[n] = row[ID], texts[row[ID]], row
end

local function expire(row)
  fail(row, format('{"attempt":%d,"token":%d', row[ATTEMPT], row[TOKEN]) .. ARGV[4])
  ended(row[LANE], 1)
  hush(row)
  queue(row, '0')
  change(row)
end

-- Hands out a delivery that is due.
local function deliver(row)
  row[DELIVERIES] = row[DELIVERIES] + 1
  write(row)
  add(due_in, lease_end, row[ID])
  take(row)
  tries[#tries + 1] = row[DELIVERIES] - 1
end

local function fall_due(id)
  local row = rows[id]
  local status = row and row[STATUS]
  if status == 'd' then
    deliver(row)
  elseif status == 'r' then
    expire(row)
  elseif status == 'q' then
    queue(row, '0')
  else
    due_out[#due_out + 1] = id
  end
end

local function take_due()
  for _ = 1, MOST_ROUNDS do
    local ids = call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[2], 'LIMIT', 0, 128)
    load_all(ids)
    for i = 1, #ids do
      if #told >= wanted then
        break
      end
      fall_due(ids[i])
    end
    flush()
    if #ids < 128 or #told >= wanted then
      break
    end
  end
end

-- Begins the call of a job that waits; returns its virtual start, nothing if
-- it cannot be begun.
local function begin(id, text)
  -- A job that fell due here was written since, and may not be known as it is.
  rows[id] = nil
  local row = know(id, text)
  if row and row[STATUS] == 'q' then
    row[STATUS], row[ATTEMPT] = 'r', row[ATTEMPT] + 1
    row[TOKEN] = math.max(row[TOKEN] + 1, now)
    if row[STARTED] == 0 then
      row[STARTED] = now
    end
    hush(row)
    add(due_in, lease_end, id)
    change(row)
    take(row)
    return row[VT]
  elseif row and row[STATUS] == '?' then
    take(row)
  end
end

-- Carries everything out; returns what is answered of the jobs.
local function conclude()
  commit()
  return tell(told, heads, rows_at)
end

return { take_due = take_due, begin = begin, conclude = conclude }
