-- Any one of the paths in the lines of the file LISTED, each as likely as the others.
local paths = {}
for path in io.lines(os.getenv("LISTED")) do
   table.insert(paths, path)
end
request = function()
   return wrk.format("GET", paths[math.random(#paths)])
end
dofile(os.getenv("REPORT"))
