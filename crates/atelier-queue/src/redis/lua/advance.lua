-- Advances a mark to an instant, never back. ARGV: its name, the instant.

local key = P .. ARGV[1]
if tonumber(ARGV[2]) > tonumber(call('GET', key) or 0) then
  call('SET', key, ARGV[2])
end
return DONE
