-- Corrects one expense after another, all in their first version, then all in their second …
--   revise.lua -- BODY-FILE KEY-PREFIX IDS-FILE GROUP-PATH

local number = 0

function init(arguments)
   local file = assert(io.open(arguments[1]))
   body = file:read("*a")
   file:close()
   prefix = arguments[2]
   ids = {}
   for line in io.lines(arguments[3]) do
      ids[#ids + 1] = line
   end
   path = arguments[4]
   headers = wrk.headers
   headers["Content-Type"] = "application/json"
end

function request()
   number = number + 1
   local place, version = (number - 1) % #ids + 1, math.floor((number - 1) / #ids) + 1
   headers["Idempotency-Key"] = prefix .. number
   headers["If-Match"] = '"' .. version .. '"'
   return wrk.format("PATCH", path .. ids[place], headers, body)
end
