-- The requests of bench/compare.py. Arguments: writes per ten requests, a unique prefix for list names, and optionally the
-- number of lists to read at random; the default is one list of 20 to-dos. Writes fill one list after another with unique
-- texts.
local LIST_LENGTH = 5000
local sent, written = 0, 0
local writes, run, lists, authorization, read, headers

function init(args)
  writes, run, lists = tonumber(args[1]), args[2], tonumber(args[3])
  authorization = { Authorization = "Bearer " .. os.getenv("SERVICE_AUTH_KEY") }
  read = wrk.format("GET", "/todos/reader", authorization)
  headers = { Authorization = authorization.Authorization, ["Content-Type"] = "application/json" }
  math.randomseed(os.time())
end

function request()
  sent = sent + 1
  if sent % 10 >= writes then
    return lists and wrk.format("GET", "/todos/user" .. math.random(lists), authorization) or read
  end
  written = written + 1
  local body = string.format('{"todo":"Buy milk %s %d"}', run, written)
  return wrk.format("POST", "/todos/" .. run .. math.floor(written / LIST_LENGTH), headers, body)
end

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")
