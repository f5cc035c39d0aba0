-- Notes a message for a key, unless there is one. Returns the message that is noted.
-- KEYS: the prefix of every key. ARGV: digest, message, now, when it expires, keep (ms).
local key = KEYS[1] .. ':duplicate:' .. ARGV[1]
local expires, message = string.match(redis.call('GET', key) or '', '^(%-?%d+) (.*)$')
if expires and tonumber(expires) > tonumber(ARGV[3]) then
  return message
end
redis.call('SET', key, ARGV[4] .. ' ' .. ARGV[2], 'PX', ARGV[5])
return ARGV[2]
