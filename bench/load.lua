-- What wrk sends. Arguments: how many of ten requests write, and a name that no other run has.
-- Reads are of one list of 20 to-dos; writes go to many other lists, so that none is full, and no two have the same words.
local USERNAMES = 1000
local sent, written = 0, 0
local writes, run, read, headers

function init(args)
  writes, run = tonumber(args[1]), args[2]
  local authorization = "Bearer " .. os.getenv("SERVICE_AUTH_KEY")
  read = wrk.format("GET", "/todos/reader", { Authorization = authorization })
  headers = { Authorization = authorization, ["Content-Type"] = "application/json" }
end

function request()
  sent = sent + 1
  if sent % 10 >= writes then
    return read
  end
  written = written + 1
  local body = string.format('{"todo":"Buy milk %s %d"}', run, written)
  return wrk.format("POST", "/todos/writer" .. written % USERNAMES, headers, body)
end

-- The last line of the output is for bench/wrk.py. Durations are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration": %d, "p50": %d, "p99": %d, "errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
