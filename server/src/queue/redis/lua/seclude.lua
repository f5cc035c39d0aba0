-- Lets nobody share a job's call, or its answer, any more, not even once it is
-- tried again. ARGV: id.

local row = load(ARGV[1])
if row and row[STATUS] ~= '?' then
  local link = open(row)
  if mark(row, ROLE) == 'l' then
    call('ZREM', P .. 'flight:' .. link.flight, row[ID])
    set_mark(row, ROLE, '-')
  end
  if link.flight ~= '' then
    link.flight = ''
    relink(row)
    write(row)
    commit()
  end
end
return DONE
