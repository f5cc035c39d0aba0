-- Gates: a job passes its gates one after the other, or waits in the line of the first
-- one that is closed. How far it has come is its `way`, at the end of its links.

-- Jobs that have a slot already go before all others in a line.
local BEFORE_ALL = 2 ^ 50
-- Jobs that a gate admits at a time: if it has opened for more, the first of the others
-- is due at once.
local MOST_ADMITTED = 64

-- A job's way; nil if it has no gates.
local function way_of(row)
  local way = row[MARKS] ~= PLAIN and mark(row, LINKED) == 'y' and open(row).way
  return way and #way > 0 and way or nil
end

-- Whether the job has taken a turn in the order of its lane.
local function has_turn(row)
  local way = way_of(row)
  return not way or way.scheduled
end

-- As before the first gate, without what was inherited.
local function reset(way)
  local kept = 0
  for i = 1, #way do
    local pass = way[i]
    way[i] = nil
    if not pass.inherited then
      kept = kept + 1
      way[kept] = pass
      pass.stage, pass.slot, pass.permit, pass.place = AHEAD, false, false, 0
    end
  end
  way.scheduled = false
end

-- Whether the job keeps its slot between its calls.
local function stays(row, pass)
  return pass.inherited or (pass.ends and row[ATTEMPT] > 0)
end

local function in_line(pass)
  return pass.slot and pass.place - BEFORE_ALL or pass.place
end

-- Notes when a job in a line is to be looked at; nil for unknown.
local function arm(id, at)
  put('due', id, at and decimal(at) or false)
end

-- When the job is due, if it is.
local function due_at(id)
  local at = sets.due and sets.due[id]
  if at == nil then
    at = call('ZSCORE', P .. 'due', id)
  end
  return at and tonumber(at)
end

-- Moves the job on to the first gate that is closed, or into the order of its lane.
local function advance(row, now)
  local way, id = way_of(row), row[ID]
  for _, pass in ipairs(way) do
    if pass.stage ~= PASSED then
      local gate, new = gate_of_job(pass.gate, now)
      gate.named = gate.named + (new and 1 or 0)
      if pass.place == 0 then
        gate.last = gate.last + 1
        pass.place = gate.last
      end
      local is_open, at = opening(gate, pass, now)
      local first, place
      if gate.waiting > 0 then
        first, place = first_in_line(pass.gate)
      end
      local behind = first and place < in_line(pass)
      if not is_open or behind then
        pass.stage, gate.waiting = WAITING, gate.waiting + 1
        join_line(pass.gate, in_line(pass), id)
        return arm(id, not behind and at or nil)
      end
      let_in(gate, pass)
    end
  end
  arm(id)
  if not way.scheduled then
    local cost, owner = about(row)
    row[VT], way.scheduled = schedule(row[LANE], owner, cost), true
  end
  enter(row[LANE], row[BAND], row[VT], id)
end

local function pass_of(row, name)
  for _, pass in ipairs(row and row[STATUS] ~= '?' and way_of(row) or {}) do
    if pass.gate == name then
      return pass
    end
  end
end

-- Writes a job whose way has changed.
local function write_way(row)
  relink(row)
  write(row)
end

-- How many jobs the gate may admit at once, at least one.
local function room(gate, now)
  local most = MOST_ADMITTED
  if gate.parallel then
    most = math.min(most, gate.parallel - gate.active)
  end
  if gate.rate then
    most = math.min(most, gate.rate - begun(gate, now) - gate.pending)
  end
  return math.max(most, 1)
end

-- Admits as many jobs as may pass, and notes when the next one may.
local function admit(name, now)
  for _ = 1, MOST_ADMITTED do
    local gate = gate_of(name)
    local id = gate and gate.waiting > 0 and first_in_line(name)
    if not id then
      return
    end
    if rows[id] == nil then
      read_ahead(name, room(gate, now))
    end
    local row = rows[id]
    local pass = pass_of(row, name)
    local is_open, at
    if pass then
      is_open, at = opening(gate, pass, now)
      if not is_open then
        return arm(id, at)
      end
    end
    leave_first(name)
    gate.waiting, gate.dirty, work = gate.waiting - 1, true, true
    if pass then
      let_in(gate, pass)
      advance(row, now)
      write_way(row)
    else
      -- A record that cannot be read is due at once, to be failed.
      arm(id, 1)
    end
  end
  local id = first_in_line(name)
  if id then
    arm(id, math.max(now, 1))
    work = true
  end
end

local function admit_all(list, now)
  for _, gate in ipairs(list) do
    if gate.waiting > 0 then
      admit(gate.name, now)
    end
  end
end

-- A job that is added (`anew`) or retried comes to its gates, at once if it is not
-- delayed.
local function come(row, anew, due, now)
  local way = way_of(row)
  for _, pass in ipairs(way) do
    local gate, new = known_gate(pass.gate, now)
    gate.named = gate.named + 1
    local agreed = pass.terms and (anew or new) and agree(gate, pass.terms, now)
    if pass.inherited then
      gate.active = gate.active + 1
    elseif pass.ends then
      gate.last = gate.last + 1
      pass.place = gate.last
    end
    if agreed and gate.waiting > 0 then
      admit(pass.gate, now)
    end
  end
  row[STATUS] = 'q'
  if due == '0' then
    advance(row, now)
  else
    put('due', row[ID], due)
    work = true
  end
end

-- A delayed job is due, or the gate that the job waits for opens.
local function come_due(row, now)
  for _, pass in ipairs(way_of(row)) do
    if pass.stage == WAITING then
      -- Another that fell due before may have let it pass.
      local at = due_at(row[ID])
      if at and at <= now then
        arm(row[ID])
        admit(pass.gate, now)
      end
      return
    end
  end
  advance(row, now)
  write_way(row)
end

-- Whether a job that has passed may start its call: the gate may have changed since.
local function may_start(row, gate, pass, now)
  if pass.inherited then
    return true
  end
  local others = pass.permit and 0 or gate.pending
  return not gate.paused and not (gate.rate and begun(gate, now) + others >= gate.rate)
    and (not gate.parallel or gate.active <= gate.parallel or stays(row, pass))
end

-- Puts the job back into the line of its i-th gate, at the place that it had there.
local function send_back(row, way, i, now)
  local later = {}
  for k = i, #way do
    local pass = way[k]
    local gate = gate_of_job(pass.gate, now)
    if not pass.inherited then
      pass.stage = AHEAD
    end
    take_permit(gate, pass)
    if not stays(row, pass) then
      take_slot(gate, pass)
    end
    later[#later + 1] = gate
  end
  advance(row, now)
  write_way(row)
  admit_all(later, now)
end

-- Whether the job may start a call now; if so, that is counted. Otherwise it waits again
-- for a gate that has changed since it passed.
local function start(row, now)
  local way = way_of(row)
  for i, pass in ipairs(way) do
    local gate = gate_of(pass.gate) or gate_of_job(pass.gate, now)
    if pass.stage ~= PASSED or not may_start(row, gate, pass, now) then
      send_back(row, way, i, now)
      return false
    end
  end
  local rated = {}
  for _, pass in ipairs(way) do
    local gate = gate_of(pass.gate)
    if pass.permit or gate.rate then
      gate_of_job(pass.gate, now)
      take_permit(gate, pass)
      if gate.rate and not pass.inherited then
        if not window_end(gate, now) then
          gate.window, gate.started = now, 0
        end
        gate.started = gate.started + 1
      end
      rated[#rated + 1] = gate
    end
  end
  if #rated > 0 then
    relink(row)
    admit_all(rated, now)
  end
  return true
end

-- A call has ended: frees the slots that are held only during one.
local function end_attempt(row, now)
  local freed = {}
  for _, pass in ipairs(way_of(row) or {}) do
    if not pass.inherited then
      pass.stage = AHEAD
      if not pass.ends then
        local gate = gate_of_job(pass.gate, now)
        pass.place = 0
        take_permit(gate, pass)
        take_slot(gate, pass)
        freed[#freed + 1] = gate
      end
    end
  end
  if way_of(row) then
    relink(row)
    admit_all(freed, now)
  end
end

-- A job whose call has ended is queued again, for the instant, in a new turn if it
-- `yields`.
local function queue_again(row, due, yields, now)
  local way = way_of(row)
  if not way then
    if yields then
      local cost, owner = about(row)
      row[VT] = schedule(row[LANE], owner, cost)
    end
    return queue(row, due)
  end
  end_attempt(row, now)
  row[STATUS] = 'q'
  way.scheduled = way.scheduled and not yields
  if due == '0' then
    advance(row, now)
  else
    put('due', row[ID], due)
    work = true
  end
  relink(row)
end

-- Frees everything that the job has in its gates, except that its entry in the outbox, if
-- it has one with this key, holds the slots that are held to the end. Returns the gates.
local function free_gates(row, key, now)
  local held, all = {}, {}
  for _, pass in ipairs(way_of(row) or {}) do
    local gate = gate_of_job(pass.gate, now)
    if pass.stage == WAITING and leave_line(pass.gate, row[ID]) then
      gate.waiting = gate.waiting - 1
    end
    take_permit(gate, pass)
    if key and pass.slot and pass.ends then
      held[#held + 1] = pass.gate
    else
      take_slot(gate, pass)
      gate.named = gate.named - 1
    end
    all[#all + 1] = gate
  end
  if #held > 0 then
    add(barriers_in, key, pack_names(held))
  end
  return all
end

-- The job has ended.
local function leave_gates(row, key, now)
  local way = way_of(row)
  if way then
    local freed = free_gates(row, key, now)
    reset(way)
    write_way(row)
    admit_all(freed, now)
  end
end

-- The end of a job has been attended to.
local function lift_barrier(names)
  for _, name in ipairs(names) do
    local gate = gate_of(name)
    if gate then
      gate.active, gate.named = math.max(gate.active - 1, 0), gate.named - 1
      gate.dirty = true
      -- Without the time, what a rate allows later is due at once.
      admit(name, gate.used)
    end
  end
end
