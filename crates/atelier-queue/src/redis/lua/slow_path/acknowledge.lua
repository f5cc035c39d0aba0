-- The slow path of removing an entry of the outbox: the job still holds gates, `held`.

local function lift(key, held)
  if call('HDEL', P .. 'barriers', key) == 1 then
    lift_barrier(unpack_names(held))
  end
end

return { lift = lift, commit = commit }
