-- Ends calls and deliveries. ARGV[1]: 1 if there are no duplicate ids; now; then for each:
-- id, token, verdict, text. A verdict is a letter: s records an outcome (the text), f a
-- failure (its outcome after the failed attempt), r retries (the failed attempt), y also
-- but in a new turn, h hands back (the same, or nothing), p postpones; r, y and p are
-- followed by when it is due. Returns the result of each.

local STRIDE = 4
local ids, out, distinct, freed = every(STRIDE, 3), {}, ARGV[1] == '1', {}
local long

-- Adds a reference to each blob of the outcome.
local function keep(outcome)
  for name in string.gmatch(parse('>I2c0', outcome), '[^\n]+') do
    call('HINCRBY', P .. 'files', name, 1)
  end
end

local found = call('HMGET', P .. 'head', unpack(ids))
for n = 1, #ids do
  local id, text, i = ids[n], found[n], n * STRIDE - 1
  local status, cache, _, marks, attempt, deliveries, version, token, started, finished, vt, band, lane
  if distinct and ARGV[i + 2] == 's' and sane(text) then
    status, cache, _, marks, attempt, deliveries, version, token, started, finished, vt, band, lane =
      parse(HEAD, text)
  end
  if status == 'r' and (marks == PLAIN or marks == LEADING) and token == tonumber(ARGV[i + 1]) then
    local outcome = ARGV[i + 3]
    add(heads_in, id, pack(HEAD, 'd', cache, 's', marks, attempt, deliveries, version + 1, token,
      started, finished, vt, band, #lane, lane))
    add(outcomes_in, id, outcome)
    if sub(outcome, 1, 2) ~= '\0\0' then
      keep(outcome)
    end
    changed[#changed + 1] = id
    freed[lane] = (freed[lane] or 0) - 1
    out[n] = DONE
  else
    long = long or slow_path()
    out[n] = long.settle(i, text)
  end
end

if long then
  long.commit()
elseif #heads_in > 0 then
  call('HSET', P .. 'head', unpack(heads_in))
  call('HSET', P .. 'outcome', unpack(outcomes_in))
  call('PUBLISH', P .. 'bell', 'w' .. table.concat(changed, '\n'))
end
for lane, count in pairs(freed) do
  call('HINCRBY', P .. 'lane:' .. lane, 'running', count)
end
return out
