-- Corrects one expense after another, each in its first version: there must be more than a round does.
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
   headers["Idempotency-Key"] = prefix .. number
   headers["If-Match"] = '"1"'
   return wrk.format("PATCH", path .. assert(ids[number], "no expense is left"), headers, body)
end
