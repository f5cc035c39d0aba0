-- Removes entries of the outbox. ARGV: their keys.

call('ZREM', P .. 'outbox', unpack(ARGV))
call('HDEL', P .. 'outbox:notes', unpack(ARGV))
