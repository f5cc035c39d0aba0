-- Finishes delivering jobs. ARGV[1]: 1 if there are no duplicate ids; then for each:
-- id, token, now. Returns a number for each (how many jobs it finished; 0 if it had been
-- finished before; negative for a refusal), the jobs, each leader before its followers,
-- and for each the blobs without references, or nothing at all if there are none.

local STRIDE = 3
local ids, counts, distinct = every(STRIDE, 2), {}, ARGV[1] == '1'
local long

local found = call('HMGET', P .. 'head', unpack(ids))
for n = 1, #ids do
  local id, text, i = ids[n], found[n], n * STRIDE - 1
  local status, cache, ended, marks, attempt, deliveries, version, token, started, _, vt, band, lane
  if distinct and sane(text) then
    status, cache, ended, marks, attempt, deliveries, version, token, started, _, vt, band, lane =
      parse(HEAD, text)
  end
  if status == 'd' and (marks == PLAIN or marks == LEADING) and token == tonumber(ARGV[i + 1]) then
    local k, now = #told + 1, ARGV[i + 2]
    local head = pack(HEAD, ended, cache, ended, marks, attempt, deliveries, version + 1, token,
      started, tonumber(now), vt, band, #lane, lane)
    told[k], heads[k] = id, head
    add(heads_in, id, head)
    add(finished_in, now, id)
    if ended == 'f' then
      add(dead_in, '0', id)
    end
    counts[n] = 1
  else
    long = long or slow_path()
    counts[n] = long.complete(i, text, n, tonumber(ARGV[i + 2]))
  end
end

if #told == 0 and not long then
  return { counts, {}, {} }
end
-- The slow path has added its own jobs to the outbox.
local plain, plain_heads = told, heads
if long then
  plain, plain_heads = long.others()
end
local bodies, outcomes = {}, {}
if #plain > 0 then
  bodies, outcomes = call('HMGET', P .. 'body', unpack(plain)), call('HMGET', P .. 'outcome', unpack(plain))
end
for k = 1, #plain do
  local free, untold = said(bodies[k])
  if not (free and untold) then
    local _, _, _, _, _, _, version = parse(HEAD, plain_heads[k])
    note(plain[k], plain_heads[k], version, free and 0 or 1, bodies[k], outcomes[k] or '', '')
  end
end
if long then
  return { counts, long.conclude(#ids) }
end
if #ends_in > 0 then
  call('ZADD', P .. 'outbox', unpack(ends_in))
  call('HSET', P .. 'outbox:notes', unpack(notes_in))
end
call('HSET', P .. 'head', unpack(heads_in))
call('ZREM', P .. 'due', unpack(told))
call('ZADD', P .. 'finished', unpack(finished_in))
if #dead_in > 0 then
  call('ZADD', P .. 'dead', unpack(dead_in))
end
call('PUBLISH', P .. 'bell', '-' .. table.concat(told, '\n'))
return { counts, { told, heads, bodies, {}, outcomes }, {} }
