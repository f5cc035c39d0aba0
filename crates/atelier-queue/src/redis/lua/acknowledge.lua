-- Removes entries of the outbox, and frees the gates that the jobs still held. ARGV:
-- their keys.

local held = call('HMGET', P .. 'barriers', unpack(ARGV))
call('ZREM', P .. 'outbox', unpack(ARGV))
call('HDEL', P .. 'outbox:notes', unpack(ARGV))
for i = 1, #ARGV do
  if held[i] and call('HDEL', P .. 'barriers', ARGV[i]) == 1 then
    lift_barrier(unpack_names(held[i]))
  end
end
commit()
