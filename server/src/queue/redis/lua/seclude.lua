-- Lets nobody share a job's call, or its answer, any more. ARGV: id.

local row = load(ARGV[1])
if row and row[STATUS] ~= '?' and mark(row, ROLE) == 'l' then
  local link = open(row)
  call('ZREM', P .. 'flight:' .. link.flight, row[ID])
  link.flight = ''
  set_mark(row, ROLE, '-')
  relink(row)
  write(row)
  commit()
end
return DONE
