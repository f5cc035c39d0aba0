-- Adds amounts to the savings. KEYS: savings. ARGV: fields, each with its amount.
for n = 1, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[n], ARGV[n + 1])
end
