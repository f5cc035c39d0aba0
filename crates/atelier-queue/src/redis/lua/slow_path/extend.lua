-- The slow path of extending a lease, for items with a report: `i` is the index of its
-- id in ARGV, `text` its head.

local function extend(i, text)
  know(ARGV[i], text)
  local row, refusal = held(ARGV[i], ARGV[i + 1])
  if not row then
    return refusal
  end
  local progress, preview, link = ARGV[i + 3], ARGV[i + 4], open(row)
  progress = progress ~= '' and progress or link.progress
  preview = preview ~= '' and preview or link.preview
  if progress ~= link.progress or preview ~= link.preview then
    link.progress, link.preview = progress, preview
    if mark(row, FOLLOWED) == 'y' then
      -- The followers, however many, read it here.
      link.reports = link.reports + 1
    end
    relink(row)
    row[VERSION] = row[VERSION] + 1
    write(row)
    changed[#changed + 1] = row[ID]
  end
  return DONE
end

return { extend = extend, commit = commit }
