-- Keeps a schedule instead of any with its id. Returns its revision, or nil if its owner
-- would have too many.
-- KEYS: the prefix of every key. ARGV: owner, id, most, now, when it is due or '', content.
local index, due = KEYS[1] .. ':schedules:' .. ARGV[1], KEYS[1] .. ':due'
local old = redis.call('HGET', index, ARGV[2])
if old then
  redis.call('DEL', KEYS[1] .. ':schedule:' .. old, KEYS[1] .. ':fired:' .. old)
  redis.call('ZREM', due, old)
elseif redis.call('HLEN', index) >= tonumber(ARGV[3]) then
  return false
end
local revision = string.format('%.0f', redis.call('INCR', KEYS[1] .. ':revision'))
redis.call('HSET', index, ARGV[2], revision)
redis.call('HSET', KEYS[1] .. ':schedule:' .. revision, 'owner', ARGV[1], 'id', ARGV[2],
  'created_at', ARGV[4], 'paused', 0, 'due_at', ARGV[5], 'content', ARGV[6])
if ARGV[5] ~= '' then
  redis.call('ZADD', due, ARGV[5], revision)
end
return revision
