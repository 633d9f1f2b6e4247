-- Any one of PATHS, which are separated by spaces. With RANGE_BYTES, one byte below that offset; with VARY, any media type; with
-- PAUSE_MS, a pause before each request, so long on average.
local paths = {}
for path in string.gmatch(os.getenv("PATHS"), "%S+") do
   table.insert(paths, path)
end
local range_bytes = tonumber(os.getenv("RANGE_BYTES") or "0")
local pause_ms = tonumber(os.getenv("PAUSE_MS") or "0")
local vary = os.getenv("VARY")
local number = 0
init = function()
   math.randomseed(os.time())
end
if pause_ms > 0 then
   delay = function()
      return math.random(0, 2 * pause_ms)
   end
end
request = function()
   local headers = {}
   if range_bytes > 0 then
      local at = math.random(0, range_bytes - 1)
      headers["Range"] = string.format("bytes=%d-%d", at, at)
   end
   if vary then
      number = number + 1
      headers["Accept"] = string.format("application/vnd.example.v%d+json, */*;q=0.%d", number, number % 9 + 1)
      headers["X-Varied"] = tostring(number)
   end
   for name, value in pairs(wrk.headers) do
      headers[name] = headers[name] or value
   end
   return wrk.format("GET", paths[math.random(#paths)], headers)
end
dofile(os.getenv("REPORT"))
