-- Any one of the BLOBS blobs named by their number, each as likely as the others.
local blobs = tonumber(os.getenv("BLOBS"))
local prefix = os.getenv("PREFIX")
request = function()
   return wrk.format("GET", prefix .. string.format("%064d", math.random(0, blobs - 1)))
end
dofile(os.getenv("REPORT"))
