-- The jobs with the ids in ARGV. Returns the indices in ARGV (from 1) of those that
-- exist, and the jobs.

local indexes, places, some_ended = {}, {}, false
local long

local found = call('HMGET', P .. 'head', unpack(ARGV))
for i = 1, #ARGV do
  local id, text = ARGV[i], found[i]
  if text then
    local k, marks = #told + 1, sub(text, 4, 10)
    indexes[k], told[k], heads[k] = i, id, text
    if sane(text) and (marks == PLAIN or marks == LEADING) then
      local queued = sub(text, 1, 1) == 'q'
      places[k] = queued and call('ZRANK', P .. 'ready:' .. sub(text, HEAD_BYTES + 1), id) or -1
    else
      long = long or slow_path()
      rows_at[k] = long.know(id, text)
      places[k] = long.place(rows_at[k])
    end
    some_ended = some_ended or sub(text, 3, 3) ~= '-'
  end
end

local columns = {}
if long then
  columns = long.tell(told, heads, rows_at, some_ended)
elseif #told > 0 then
  columns = { told, heads, call('HMGET', P .. 'body', unpack(told)), {},
    some_ended and call('HMGET', P .. 'outcome', unpack(told)) or {}, {} }
end
columns[7] = places
return { indexes, columns }
