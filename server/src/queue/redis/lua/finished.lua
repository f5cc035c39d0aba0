-- Jobs that finished earlier than ARGV[1], oldest first, at most ARGV[2].

return call('ZRANGEBYSCORE', P .. 'finished', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
