-- Ends calls and deliveries. ARGV[1]: 1 if no id is there twice; then for
-- each: id, token, verdict, text. A verdict is a letter: s records an outcome
-- (the text), f a failure (its outcome after the failed attempt), r retries
-- (the failed attempt), h hands back, p postpones; r and p are followed by when
-- it is due. Answers for each how it ended.

local STRIDE = 4
local ids = every(STRIDE, 2)

local function requeue(row, due)
  ended(row[LANE], 1)
  hush(row)
  queue(row, due)
end

-- Progress stays until the job is finished.
local function record(row, letter, outcome)
  row[STATUS] = 'd'
  ended(row[LANE], 1)
  hush(row, true)
  attach(row, letter, outcome)
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
  local verdict, text = ARGV[i + 2], ARGV[i + 3]
  local letter, due = sub(verdict, 1, 1), sub(verdict, 2)
  if row[STATUS] == 'r' then
    return settle_call(row, letter, due, text)
  end
  return settle_delivery(row, letter, due)
end

local out, short, freed = {}, ARGV[1] == '1', {}
local found = read_all('head', ids)
for n = 1, #ids do
  local id, text, i = ids[n], found[n], n * STRIDE - 2
  local status, cache, _, marks, attempt, deliveries, version, token, started, finished, vt, band, lane
  if short and ARGV[i + 2] == 's' and sane(text) then
    status, cache, _, marks, attempt, deliveries, version, token, started, finished, vt, band, lane =
      parse(HEAD, text)
  end
  if status == 'r' and SIMPLE[marks] and token == tonumber(ARGV[i + 1]) then
    -- The short way to what `settle` does.
    local outcome = ARGV[i + 3]
    add(heads_in, id, pack(HEAD, 'd', cache, 's', marks, attempt, deliveries, version + 1, token,
      started, finished, vt, band, #lane, lane))
    add(outcomes_in, id, outcome)
    keep(files_of(outcome))
    freed[lane] = (freed[lane] or 0) + 1
    changed[#changed + 1] = id
    out[n] = DONE
  else
    know(id, text)
    out[n] = settle(i)
  end
end
for name, count in pairs(freed) do
  ended(name, count)
end
commit()
return out
