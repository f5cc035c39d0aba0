-- The records of gates.

-- A gate: flags, parallel, rate, period, named, active, pending, waiting, last, start and
-- calls of the present period, times of creation, change and last use.
local GATE = '<Bddddddddddddd'

-- The gates used so far, by name; false for none.
local gates = {}

local function has(flags, flag)
  return flags % (2 * flag) >= flag
end

local function read_gate(name, text)
  local whole, flags, parallel, rate, period, named, active, pending, waiting, last, window,
    started, created, updated, used = pcall(parse, GATE, text)
  return whole and {
    name = name, flags = flags, parallel = has(flags, 32) and parallel or nil,
    rate = has(flags, 64) and rate or nil,
    period = period, named = named, active = active, pending = pending, waiting = waiting,
    last = last, window = has(flags, 128) and window or nil, started = started, created = created,
    updated = updated, used = used, pinned_parallel = has(flags, 1), pinned_rate = has(flags, 2),
    paused = has(flags, 4), kept = has(flags, 8), removed = has(flags, 16),
  }
end

local function gate_text(gate)
  local flags = (gate.pinned_parallel and 1 or 0) + (gate.pinned_rate and 2 or 0)
    + (gate.paused and 4 or 0) + (gate.kept and 8 or 0) + (gate.removed and 16 or 0)
    + (gate.parallel and 32 or 0) + (gate.rate and 64 or 0) + (gate.window and 128 or 0)
  return pack(GATE, flags, gate.parallel or 0, gate.rate or 0, gate.period, gate.named, gate.active,
    gate.pending, gate.waiting, gate.last, gate.window or 0, gate.started, gate.created,
    gate.updated, gate.used)
end

local function gate_of(name)
  if gates[name] == nil then
    local text = call('HGET', P .. 'gates', name)
    gates[name] = text and read_gate(name, text) or false
  end
  return gates[name]
end

-- The gate that a job names, to be changed, and whether it is new, which it never is
-- unless it was lost.
local function gate_of_job(name, now)
  local gate = gate_of(name)
  local new = not gate
  if new then
    gate = {
      name = name, period = 0, named = 0, active = 0, pending = 0, waiting = 0, last = 0,
      started = 0, created = now, updated = now, used = now,
    }
    gates[name] = gate
    call('ZADD', P .. 'gates:names', '0', name)
  end
  gate.used = math.max(gate.used, now)
  gate.dirty = true
  return gate, new
end

-- The same for who asks for it by name: a removed gate begins anew.
local function known_gate(name, now)
  local gate, new = gate_of_job(name, now)
  if gate.removed then
    gate.removed, gate.created, gate.updated, new = false, now, now, true
    call('ZADD', P .. 'gates:names', '0', name)
  end
  return gate, new
end

local function write_gates()
  local texts = {}
  for name, gate in pairs(gates) do
    if gate and gate.dirty then
      gate.dirty = false
      if gate.removed and gate.named <= 0 then
        call('HDEL', P .. 'gates', name)
        gates[name] = false
      else
        add(texts, name, gate_text(gate))
      end
    end
  end
  give(texts, 'HSET', P .. 'gates')
end

-- Sets the terms that come with a job, except for what is pinned. Returns whether that
-- changed anything.
local function agree(gate, terms, now)
  local parallel, rate, period = gate.parallel, gate.rate, gate.period
  if not gate.pinned_parallel then
    gate.parallel = terms.parallel
  end
  if not gate.pinned_rate then
    gate.rate, gate.period = terms.rate, terms.period
  end
  if gate.parallel == parallel and gate.rate == rate and gate.period == period then
    return false
  end
  gate.updated = now
  return true
end
