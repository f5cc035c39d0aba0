-- Removes the note for a key if it names this message.
-- KEYS: the prefix of every key. ARGV: digest, message.
local key = KEYS[1] .. ':duplicate:' .. ARGV[1]
if string.match(redis.call('GET', key) or '', '^%-?%d+ (.*)$') == ARGV[2] then
  redis.call('DEL', key)
end
