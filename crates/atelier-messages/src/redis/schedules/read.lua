-- Returns a schedule, or nil if there is none.
local function read(revision)
  if not revision then
    return false
  end
  local key = KEYS[1] .. ':schedule:' .. revision
  local found = redis.call('HMGET', key, 'owner', 'id', 'created_at', 'paused', 'due_at', 'content')
  if not found[1] then
    return false
  end
  found[7] = revision
  found[8] = redis.call('LRANGE', KEYS[1] .. ':fired:' .. revision, 0, -1)
  return found
end

