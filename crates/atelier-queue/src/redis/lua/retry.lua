-- Queues a failed job again. ARGV: id, band, now. Returns a refusal (a number), or the
-- record.

local row, seen = seen_by_owner(ARGV[1])
if not row then
  return seen
elseif seen ~= 'f' then
  return ILLEGAL + STATES[seen]
end
local id, flight = row[ID], flight_of(row)
row[ENDED], row[ATTEMPT], row[DELIVERIES], row[STARTED], row[FINISHED] = '-', 0, 0, 0, 0
row[BAND] = tonumber(ARGV[2])
set_mark(row, UNCHARGED, 'y')
-- The cost of its attempts is in the outbox with its end.
if mark(row, FAILED) == 'y' then
  local failures = call('HGET', P .. 'failures', id) or ''
  call('HSET', P .. 'failures', id, (string.gsub(failures, '"cost":', '"settled_cost":')))
end
call('HDEL', P .. 'outcome', id)
call('ZREM', P .. 'finished', id)
call('ZREM', P .. 'dead', id)
-- Only a call that is in flight is joined.
local leader = flight ~= '' and joinable(flight, math.huge)
if leader then
  open(row).flight = flight
  follow(row, leader)
else
  local cost, owner = about(row)
  lead(row, owner, cost, '0', flight, answered_leaders(flight), false, tonumber(ARGV[3]))
end
work = true
track(row, false)
change(row)
commit()
return tell_all({ row })
