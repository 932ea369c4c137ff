-- The requests of bench/mcp.py. Arguments: the MCP version, or http for a plain request; the operation; and a unique prefix
-- for list names. Reads are of one list of 20 to-dos; writes fill one list after another with unique texts.
local META = '"_meta":{"io.modelcontextprotocol/protocolVersion":"%s","io.modelcontextprotocol/clientCapabilities":{}},'
local version, operation, run
local headers, meta
local written = 0

function init(args)
  version, operation, run = args[1], args[2], args[3]
  headers = {
    Authorization = "Bearer " .. os.getenv("SERVICE_AUTH_KEY"),
    Accept = "application/json, text/event-stream",
    ["Content-Type"] = "application/json"
  }
  if version ~= "http" then headers["MCP-Protocol-Version"] = version end
  if version >= "2026" and version ~= "http" then
    headers["Mcp-Method"], headers["Mcp-Name"] = "tools/call", operation
    meta = string.format(META, version)
  end
end

local function call(arguments)
  local body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s"name":"%s","arguments":%s}}'
  return wrk.format("POST", "/mcp", headers, string.format(body, meta or "", operation, arguments))
end

function request()
  if operation == "list_todos" then
    if version == "http" then return wrk.format("GET", "/todos/reader", headers) end
    return call('{"username":"reader"}')
  end
  written = written + 1
  local words = string.format('"todo":"Buy milk %s %d"', run, written)
  local list = run .. math.floor(written / 5000)
  if version == "http" then return wrk.format("POST", "/todos/" .. list, headers, "{" .. words .. "}") end
  return call(string.format('{"username":"%s",%s}', list, words))
end

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")
