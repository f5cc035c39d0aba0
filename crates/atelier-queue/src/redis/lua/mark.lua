-- Marks an owner's jobs. ARGV: owner, 'y' or 'n' for favourites or '' to leave that, '=' and the folder or '' to leave
-- that, the maximum number of folders, and the ids. Returns the number of jobs marked; -1 if that took one folder more.

local owner, favourite, folder = ARGV[1], ARGV[2], ARGV[3]
local ids, key = every(1, 5), P .. 'marks:' .. ARGV[1]
local name, count, done = sub(folder, 2), 0, {}
if name ~= '' and call('HEXISTS', P .. 'folders:' .. owner, name) == 0
  and call('HLEN', P .. 'folders:' .. owner) >= tonumber(ARGV[4]) then
  return -1
end
load_all(ids)
local entries, marks = read_all('words:' .. owner, ids), read_all('marks:' .. owner, ids)
for i = 1, #ids do
  local row = rows[ids[i]]
  if row and not done[ids[i]] and entries[i] and entries[i] ~= '' and row[STATUS] == 's' and mark(row, WITHDRAWN) == '-' then
    local before = marks[i] or 'n'
    local star = favourite ~= '' and favourite or sub(before, 1, 1)
    local now = folder ~= '' and name or sub(before, 2)
    count_in_folder(owner, sub(before, 2), -1)
    count_in_folder(owner, now, 1)
    if star == 'n' and now == '' then
      call('HDEL', key, ids[i])
    else
      call('HSET', key, ids[i], star .. now)
    end
    count, done[ids[i]] = count + 1, true
  end
end
return count
