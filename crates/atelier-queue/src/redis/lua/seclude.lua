-- Stops sharing a job's call and its answer, even after a retry. Returns the ids of those
-- that share its call already. ARGV: id.

local row = load(ARGV[1])
if row and row[STATUS] ~= '?' then
  if mark(row, ROLE) == 'l' then
    ground(row)
    set_mark(row, ROLE, '-')
  end
  open(row).flight = ''
  relink(row)
  write(row)
  commit()
end
return call('SMEMBERS', P .. 'followers:' .. ARGV[1])
