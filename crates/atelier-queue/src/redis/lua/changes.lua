-- The consequences of a change of a job, and writing.

-- The names of the blobs that an outcome refers to, one per line.
local function files_of(outcome)
  return outcome and outcome ~= '' and take_apart('>I2c0', outcome) or ''
end

-- Adds a reference to each blob.
local function keep(names)
  if names ~= '' then
    for name in string.gmatch(names, '[^\n]+') do
      call('HINCRBY', P .. 'files', name, 1)
    end
  end
end

-- Removes a reference from each blob; appends the blobs without references.
local function let_go(names, orphans)
  for name in string.gmatch(names, '[^\n]+') do
    if call('HINCRBY', P .. 'files', name, -1) <= 0 then
      call('HDEL', P .. 'files', name)
      orphans[#orphans + 1] = name
    end
  end
end

-- Sets the job's outcome.
local function attach(row, ended, outcome)
  row[ENDED] = ended
  outcomes[row[ID]] = outcome
  add(outcomes_in, row[ID], outcome)
  keep(files_of(outcome))
end

-- The job's outcome, '' if there is none.
local function outcome_of(row)
  return row[ENDED] ~= '-' and cached(outcomes, 'outcome', row[ID]) or ''
end

-- Adds a failed attempt.
local function fail(row, failure)
  local id = row[ID]
  local before = mark(row, FAILED) == 'y' and call('HGET', P .. 'failures', id) or ''
  call('HSET', P .. 'failures', id, before .. ',' .. failure)
  set_mark(row, FAILED, 'y')
end

-- Whether its owner's jobs are listed by state.
local function is_tracked(row)
  local way = row[MARKS] ~= PLAIN and mark(row, LINKED) == 'y' and open(row).way
  return way and way.tracked
end

-- Adds the job, new or retried, to its owner's unfinished ones.
local function track(row, anew)
  if is_tracked(row) then
    local _, owner = about(row)
    put('unfinished:' .. owner, row[ID], '0')
    if not anew then
      put('dead:' .. owner, row[ID], false)
    end
  end
end

-- Removes it from them.
local function untrack(row)
  if is_tracked(row) then
    local _, owner = about(row)
    put('unfinished:' .. owner, row[ID], false)
    if row[STATUS] == 'f' then
      put('dead:' .. owner, row[ID], '0')
    end
  end
end

-- Adds a job that has ended to the lists of those.
local function close(row)
  untrack(row)
  add(finished_in, decimal(row[FINISHED]), row[ID])
  if row[STATUS] == 'f' then
    add(dead_in, '0', row[ID])
  end
end

-- Copies the leader's state to its followers. Returns their ids.
local function mirror(leader)
  local key = P .. 'followers:' .. leader[ID]
  local ids, over, link = call('SMEMBERS', key), OVER[leader[STATUS]], open(leader)
  local outcome = leader[ENDED] ~= '-' and cached(outcomes, 'outcome', leader[ID])
  -- Whoever came first pays first.
  table.sort(ids)
  load_all(ids)
  read_links(ids)
  for i = 1, #ids do
    local row = rows[ids[i]]
    if row and row[STATUS] ~= '?' then
      local own = open(row)
      row[STATUS], row[ATTEMPT], row[STARTED] = leader[STATUS], leader[ATTEMPT], leader[STARTED]
      row[FINISHED] = over and leader[FINISHED] or 0
      row[VERSION] = row[VERSION] + link.reports - own.reports
      if own.reports ~= 0 or own.progress ~= '' or own.preview ~= '' then
        own.reports, own.progress, own.preview = 0, '', ''
        relink(row)
      end
      if row[ENDED] == '-' and outcome then
        attach(row, leader[ENDED], outcome)
      end
      row[VERSION] = row[VERSION] + 1
      write(row)
      changed[#changed + 1] = row[ID]
      if over then
        close(row)
      end
    end
  end
  if link.reports ~= 0 then
    link.reports = 0
    relink(leader)
  end
  if over then
    call('DEL', key)
    set_mark(leader, FOLLOWED, '-')
  end
  return ids
end

-- Carries out what has been noted.
local function flush()
  write_gates()
  write_links()
  write_sets()
  give(barriers_in, 'HSET', P .. 'barriers')
  for id, row in pairs(unwritten) do
    add(heads_in, id, text_of(row))
  end
  give(heads_in, 'HSET', P .. 'head')
  give(bodies_in, 'HSET', P .. 'body')
  give(outcomes_in, 'HSET', P .. 'outcome')
  for name, list in pairs(ready) do
    give(list, 'ZADD', P .. 'ready:' .. name)
  end
  give(due_in, 'ZADD', P .. 'due')
  give(finished_in, 'ZADD', P .. 'finished')
  give(ends_in, 'ZADD', P .. 'outbox')
  give(notes_in, 'HSET', P .. 'outbox:notes')
  give(dead_in, 'ZADD', P .. 'dead')
  for name, lane in pairs(lanes) do
    local finishes = {}
    for owner in pairs(lane.moved) do
      add(finishes, decimal(lane.finish[owner]), owner)
    end
    give(finishes, 'ZADD', P .. 'finish:' .. name)
    lane.moved = {}
    if lane.changed then
      lane.changed = false
      call('HSET', P .. 'lane:' .. name, 'v', decimal(lane.v), 'next', decimal(lane.next),
        'held', decimal(lane.held), 'running', decimal(lane.running))
      if lane.floor then
        call('HSET', P .. 'lane:' .. name, 'floor', decimal(lane.floor))
      end
    end
  end
  heads_in, bodies_in, outcomes_in, unwritten = {}, {}, {}, {}
  due_in, finished_in, dead_in, ready = {}, {}, {}, {}
  ends_in, notes_in, barriers_in = {}, {}, {}
end

-- Carries out what has been noted and tells all processes.
local function commit()
  flush()
  if work or #changed > 0 then
    call('PUBLISH', P .. 'bell', (work and 'w' or '-') .. table.concat(changed, '\n'))
  end
end

-- Writes a change that clients can see; returns the ids of the followers.
local function change(row)
  local ids
  row[VERSION] = row[VERSION] + 1
  if row[MARKS] ~= PLAIN and mark(row, FOLLOWED) == 'y' then
    -- An outcome just set is read again for them.
    flush()
    ids = mirror(row)
  end
  write(row)
  changed[#changed + 1] = row[ID]
  return ids
end

-- Removes a job's outcome. Returns the blobs without references, which are noted to be
-- discarded.
local function forget_outcome(row)
  local orphans = {}
  let_go(files_of(call('HGET', P .. 'outcome', row[ID])), orphans)
  call('HDEL', P .. 'outcome', row[ID])
  give(orphans, 'SADD', P .. 'discards')
  return orphans
end

-- Counts a job of an owner into a folder, or out of it; '' for none.
local function count_in_folder(owner, name, by)
  local key = P .. 'folders:' .. owner
  if name ~= '' and call('HINCRBY', key, name, by) <= 0 then
    call('HDEL', key, name)
  end
end

-- Removes what a job is found by, and its marks.
local function strike(owner, id)
  call('HDEL', P .. 'words:' .. owner, id)
  local marks = call('HGET', P .. 'marks:' .. owner, id)
  if marks then
    call('HDEL', P .. 'marks:' .. owner, id)
    count_in_folder(owner, sub(marks, 2), -1)
  end
end

-- Deletes a record. Returns the blobs without references, which are noted to be
-- discarded.
local function remove(row)
  flush()
  local id, orphans = row[ID], {}
  local _, owner, files = about(row)
  let_go(files, orphans)
  let_go(files_of(call('HGET', P .. 'outcome', id)), orphans)
  if mark(row, ROLE) == 'l' then
    ground(row)
  end
  for _, key in ipairs({ 'head', 'body', 'links', 'outcome', 'failures' }) do
    call('HDEL', P .. key, id)
  end
  for _, key in ipairs({ 'owned:' .. owner, 'unfinished:' .. owner, 'dead:' .. owner, 'finished', 'dead' }) do
    call('ZREM', P .. key, id)
  end
  strike(owner, id)
  call('DEL', P .. 'followers:' .. id)
  rows[id] = false
  give(orphans, 'SADD', P .. 'discards')
  return orphans
end
