-- The slow path of finishing a call: both steps, which need the same rows.

local function finish(i, text, n, now)
  local row = know(ARGV[i], text)
  local result = row and OVER[row[STATUS]] and DONE or settling.settle(i, text)
  return result ~= DONE and -result or completing.complete(i, text, n, now)
end

return { finish = finish, flush = flush, admit = admit, conclude = completing.conclude }
