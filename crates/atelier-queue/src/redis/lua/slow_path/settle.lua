-- The slow path of settling an item: `i` is the index of its id in ARGV, `text` its
-- head.

local now = tonumber(ARGV[2])

local function requeue(row, due, yields)
  ended(row[LANE], 1)
  hush(row)
  queue_again(row, due, yields, now)
end

-- Progress is kept until the job is finished.
local function record(row, letter, outcome)
  row[STATUS] = 'd'
  ended(row[LANE], 1)
  hush(row, true)
  attach(row, letter, outcome)
  end_attempt(row, now)
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
  elseif verdict == 'r' or verdict == 'y' then
    fail(row, text)
    requeue(row, due, verdict == 'y')
  elseif verdict == 'h' then
    if text ~= '' then
      fail(row, text)
    end
    row[ATTEMPT] = math.max(row[ATTEMPT] - 1, 0)
    requeue(row, '0')
  else
    return ILLEGAL + STATES.r
  end
  change(row)
  return DONE
end

local function settle_delivery(row, verdict, due)
  if verdict == 'r' or verdict == 'y' or verdict == 'h' then
    return ILLEGAL + STATES.d
  elseif verdict == 'p' then
    hush(row, true)
    put('due', row[ID], due)
    work = true
    change(row)
  end
  return DONE
end

local function settle(i, text)
  know(ARGV[i], text)
  local row, refusal = held(ARGV[i], ARGV[i + 1])
  if not row then
    return refusal
  end
  local verdict, given = ARGV[i + 2], ARGV[i + 3]
  local letter, due = sub(verdict, 1, 1), sub(verdict, 2)
  if row[STATUS] == 'r' then
    return settle_call(row, letter, due, given)
  end
  return settle_delivery(row, letter, due)
end

return { settle = settle, commit = commit }
