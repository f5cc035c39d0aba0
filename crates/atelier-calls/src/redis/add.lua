-- Adds a batch of counters and calls, unless it has been added before.
--
-- KEYS[1]  the prefix of every key, up to the hash tag
-- ARGV[1]  whose batch it is
-- ARGV[2]  its number
-- ARGV[3]  for how many seconds its number is remembered
-- ARGV[4]  for how many milliseconds an hour is kept
-- ARGV[5]  how many lines an hour has at most
-- ARGV[6]  the line of all beyond them
-- ARGV[7]  how many calls are kept
-- ARGV[8]  the number of lines
-- ARGV     for each line: the hour, the line, its counters; then the calls, the oldest first
local writer = KEYS[1] .. ':writer:' .. ARGV[1]
local number = tonumber(ARGV[2])
if number <= tonumber(redis.call('GET', writer) or 0) then
  return
end
redis.call('SET', writer, ARGV[2], 'EX', ARGV[3])

-- Counters are numbers with spaces between them, and may become more in later versions.
local function sum(before, more)
  local numbers = {}
  for text in string.gmatch(before, '%d+') do
    numbers[#numbers + 1] = tonumber(text)
  end
  local place = 0
  for text in string.gmatch(more, '%d+') do
    place = place + 1
    numbers[place] = (numbers[place] or 0) + tonumber(text)
  end
  for at, amount in ipairs(numbers) do
    numbers[at] = string.format('%.0f', amount)
  end
  return table.concat(numbers, ' ')
end

local keep, most, other = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local i = 9
for _ = 1, tonumber(ARGV[8]) do
  local hour, line, counts = KEYS[1] .. ':hour:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local before = redis.call('HGET', hour, line)
  if not before and redis.call('HLEN', hour) >= most then
    line = other
    before = redis.call('HGET', hour, line)
  end
  redis.call('HSET', hour, line, before and sum(before, counts) or counts)
  redis.call('PEXPIRE', hour, keep)
  i = i + 3
end
local recent = KEYS[1] .. ':recent'
for at = i, #ARGV do
  redis.call('LPUSH', recent, ARGV[at])
end
redis.call('LTRIM', recent, 0, tonumber(ARGV[7]) - 1)
