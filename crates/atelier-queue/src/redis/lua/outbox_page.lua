-- Entries of the outbox, in the order of their keys. ARGV: '-' or '(' and the key after
-- which they begin, the maximum number. Returns their keys and the notes.

local keys = call('ZRANGEBYLEX', P .. 'outbox', ARGV[1], '+', 'LIMIT', 0, ARGV[2])
if #keys == 0 then
  return { {}, {} }
end
return { keys, call('HMGET', P .. 'outbox:notes', unpack(keys)) }
