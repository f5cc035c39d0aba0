-- Ends calls and deliveries. For each: id, token, verdict, text. A verdict is
-- a letter: s records an outcome (the text), f a failure (its outcome after
-- the failed attempt), r retries (the failed attempt), h hands back, p
-- postpones; r and p are followed by when it is due. Answers for each how it
-- ended.

local STRIDE = 4
local ids = every(STRIDE)
load_all(ids)

local function requeue(row, due)
  ended_one(row[LANE])
  hush(row)
  queue(row, due)
end

-- Progress stays until the job is finished.
local function record(row, ended, outcome)
  row[STATUS] = 'd'
  ended_one(row[LANE])
  hush(row, true)
  attach(row, ended, outcome)
end

local function settle_call(row, verdict, due, text)
  if verdict == 's' then
    record(row, 's', text)
  elseif verdict == 'f' then
    local failure, at = parse('>I4c0', text)
    if failure ~= '' then
      fail(row, failure)
    end
    record(row, 'f', sub(text, at))
  elseif verdict == 'r' then
    fail(row, text)
    requeue(row, due)
  elseif verdict == 'h' then
    row[ATTEMPT] = math.max(row[ATTEMPT] - 1, 0)
    requeue(row, '0')
  else
    return ILLEGAL + STATES.r
  end
  change(row)
  return DONE
end

local function settle_delivery(row, verdict, due)
  if verdict == 'r' or verdict == 'h' then
    return ILLEGAL + STATES.d
  elseif verdict == 'p' then
    hush(row, true)
    add(due_in, due, row[ID])
    work = true
    change(row)
  end
  return DONE
end

local function settle(i)
  local row, refusal = held(ARGV[i], ARGV[i + 1])
  if not row then
    return refusal
  end
  local verdict = ARGV[i + 2]
  local letter = sub(verdict, 1, 1)
  if row[STATUS] == 'r' then
    return settle_call(row, letter, sub(verdict, 2), ARGV[i + 3])
  end
  return settle_delivery(row, letter, sub(verdict, 2))
end

local out = {}
for n = 1, #ids do
  out[n] = settle((n - 1) * STRIDE + 1)
end
commit()
return out
