-- Jobs that finished from ARGV[1] to before ARGV[2], oldest first, at most ARGV[3].

return call('ZRANGEBYSCORE', P .. 'finished', ARGV[1], '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
