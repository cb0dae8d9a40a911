-- REDRIVE: id of a dead letter, 1 to run it again or 0 to discard it. Returns 0 when it is gone already.
local dead, again = ARGV[3], ARGV[4] == '1'
local entry = redis.call('XRANGE', DEAD, dead, dead)[1]
if not entry then return 0 end
redis.call('XDEL', DEAD, dead)
if not again then return 1 end
local fields = {}
for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
local id, ops = fields.item, split(fields.ops, ',')
give_back(id, ops)
if not lease_end(id) then enqueue(id, ops) end
return 1
