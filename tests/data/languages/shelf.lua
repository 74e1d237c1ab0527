local M = {}
-- Opens it.
function M.open(path)
  return 1
end
local function hidden()
  return 2
end
