-- Returns the number of the latest change, and the changes after a number: {number, job, record}.
-- KEYS: number, order, records, ends. ARGV: after, limit.
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local jobs, changes = {}, {}
for n = 1, #found, 2 do
  jobs[#jobs + 1] = found[n]
end
if #jobs > 0 then
  local records = redis.call('HMGET', KEYS[3], unpack(jobs))
  for n = 1, #jobs do
    changes[n] = { tonumber(found[2 * n]), jobs[n], records[n] or '' }
  end
end
return { last, changes }
