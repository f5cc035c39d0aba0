-- Searches a part of an owner's jobs, newest first. ARGV: owner, '+' or '(' and the id before which it begins, the
-- maximum number, 1 to go without the jobs whose entries are not known, the kind or '', 1 for favourites alone, the
-- folder or '', and the beginnings of words.
-- Returns the last id looked at, '' if the list ends with it; the ids whose entries have to be noted first; and the
-- records found.

local PART = 1000
local owner, most, sure, kind = ARGV[1], tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
local favourites, folder = ARGV[6] == '1', ARGV[7]

-- Whether an entry, its kind before its words, is searched for; with its marks, if it has any.
local function matches(entry, marks)
  if (favourites and byte(marks, 1) ~= 121) or (folder ~= '' and sub(marks, 2) ~= folder) then
    return false
  end
  local ends = string.find(entry, '\n', 1, true)
  if not ends or (kind ~= '' and sub(entry, 1, ends - 1) ~= kind) then
    return false
  end
  for i = 8, #ARGV do
    if not string.find(entry, ' ' .. ARGV[i], ends, true) then
      return false
    end
  end
  return true
end

local ids = call('ZREVRANGEBYLEX', P .. 'owned:' .. owner, ARGV[2], '-', 'LIMIT', 0, PART)
local entries, unknown, fitting = read_all('words:' .. owner, ids), {}, {}
local marks = (favourites or folder ~= '') and read_all('marks:' .. owner, ids) or {}
for i = 1, #ids do
  if entries[i] and matches(entries[i], marks[i] or '') then
    fitting[#fitting + 1] = ids[i]
  elseif not entries[i] and not sure then
    unknown[#unknown + 1] = ids[i]
  end
end
if #unknown > 0 then
  return { '', unknown, {} }
end
load_all(fitting)
local found, last = {}, #ids == PART and ids[PART] or ''
for i = 1, #fitting do
  local row = rows[fitting[i]]
  if row and row[STATUS] == 's' and mark(row, WITHDRAWN) == '-' then
    found[#found + 1] = row
    if #found == most then
      last = fitting[i]
      break
    end
  end
end
return { last, {}, tell_all(found) }
