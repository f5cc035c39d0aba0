-- How a job passes a gate.

-- Where it is.
local AHEAD, WAITING, PASSED = 0, 1, 2

-- When the present period of the rate ends.
local function window_end(gate, now)
  local ends = gate.rate and gate.window and gate.window + gate.period
  return ends and ends > now and ends or nil
end

-- The calls started in the present period.
local function begun(gate, now)
  return window_end(gate, now) and gate.started or 0
end

-- Whether the job may pass; if not, when it may, if that is known.
local function opening(gate, pass, now)
  if gate.paused or (gate.parallel and gate.active >= gate.parallel and not pass.slot) then
    return false
  elseif gate.rate and begun(gate, now) + gate.pending >= gate.rate then
    return false, window_end(gate, now)
  end
  return true
end

local function let_in(gate, pass)
  if not pass.slot then
    pass.slot, gate.active = true, gate.active + 1
  end
  if gate.rate then
    pass.permit, gate.pending = true, gate.pending + 1
  end
  pass.stage = PASSED
end

local function take_permit(gate, pass)
  if pass.permit then
    pass.permit, gate.pending = false, math.max(gate.pending - 1, 0)
  end
end

local function take_slot(gate, pass)
  if pass.slot then
    pass.slot, gate.active = false, math.max(gate.active - 1, 0)
  end
end
