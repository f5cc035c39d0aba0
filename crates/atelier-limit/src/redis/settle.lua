-- Settles charges, once per id.
--
-- KEYS[1]  the prefix of every key, up to the hash tag
-- ARGV     now; the settlement's id; how long to remember it, in milliseconds;
--          the channel for refunded counters; then for each counter
--          struct "<dddddddHc0": the algorithm, its three numbers, the cost, the
--          mark, the actual cost, and the counter's name with its length
--
-- The arithmetic is that of rule.rs.
local SLIDING, BUCKET, MOST = 2, 3, 2 ^ 53
local pack, unpack = struct.pack, struct.unpack
local max, min = math.max, math.min
local prefix = KEYS[1] .. ':'
local now = tonumber(ARGV[1])

if not redis.call('SET', prefix .. 'settled:' .. ARGV[2], '', 'NX', 'PX', ARGV[3]) then
  return
end

local function replace(used, less, more)
  return min(max(0, used - less) + more, MOST)
end

local freed = {}
for i = 5, #ARGV do
  local algorithm, a, b, c, cost, mark, actual, name = unpack('<dddddddHc0', ARGV[i])
  local raw = redis.call('GET', prefix .. name)
  if raw and #raw == 24 then
    local at, used, before = unpack('<ddd', raw)
    if algorithm == BUCKET then
      local owed = max(0, mark - now) * b
      used = replace(used, min(max(0, cost - actual) * c, owed), max(0, actual - cost) * c)
    elseif at == mark then
      used = replace(used, cost, actual)
    elseif algorithm == SLIDING and at == mark + b then
      before = replace(before, cost, actual)
    end
    local after = pack('<ddd', at, used, before)
    if after ~= raw then
      redis.call('SET', prefix .. name, after, 'KEEPTTL')
      if actual < cost then
        freed[#freed + 1] = name
      end
    end
  end
end
if #freed > 0 then
  redis.call('PUBLISH', ARGV[4], table.concat(freed, '\n'))
end
