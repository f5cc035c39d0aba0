-- Removes entries of the outbox, and frees the gates that the jobs still held. ARGV:
-- their keys.

local held, long = call('HMGET', P .. 'barriers', unpack(ARGV))
call('ZREM', P .. 'outbox', unpack(ARGV))
call('HDEL', P .. 'outbox:notes', unpack(ARGV))
for i = 1, #ARGV do
  if held[i] then
    long = long or slow_path()
    long.lift(ARGV[i], held[i])
  end
end
if long then
  long.commit()
end
