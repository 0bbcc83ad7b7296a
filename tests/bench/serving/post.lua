-- Sends one request after another from a file, each under a new key. A line is a path, a tab, a body.
--   post.lua -- FILE KEY-PREFIX

local number = 0

function init(arguments)
   paths, bodies = {}, {}
   for line in io.lines(arguments[1]) do
      local path, body = line:match("([^\t]*)\t(.*)")
      paths[#paths + 1], bodies[#bodies + 1] = path, body
   end
   prefix = arguments[2]
   headers = wrk.headers
   headers["Content-Type"] = "application/json"
end

function request()
   number = number + 1
   local place = number % #paths + 1
   headers["Idempotency-Key"] = prefix .. number
   return wrk.format("POST", paths[place], headers, bodies[place])
end
