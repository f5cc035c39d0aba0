-- The outbox: entries for jobs that have ended.

-- The keys of the entries made, by the jobs' ids.
local keys_of = {}

-- Adds entries for these jobs, which are written as they are. If that was the end of
-- the first one's call (`paying` is 1, or 3 if it was stopped during an attempt; else
-- 0), the first job whose charge is not settled pays for it.
local function note_all(list, paying)
  local ids, leader, paid = {}, list[1], paying == 0
  for i = 1, #list do
    ids[i] = list[i][ID]
  end
  fill(bodies, 'body', ids)
  local outcome = outcome_of(leader)
  local attempts = mark(leader, FAILED) == 'y' and call('HGET', P .. 'failures', leader[ID]) or ''
  for i = 1, #list do
    local row, body = list[i], bodies[ids[i]]
    if body then
      local free, untold = said(body)
      free = free or mark(row, UNCHARGED) == 'y'
      untold = untold or row[STATUS] == 'c' or mark(row, WITHDRAWN) ~= '-'
      if not (free and untold) then
        local pays = not free and not paid
        paid = paid or pays
        keys_of[ids[i]] = note(ids[i], text_of(row), row[VERSION], pays and paying or 0, body,
          outcome, pays and attempts or '')
      end
    end
  end
end
