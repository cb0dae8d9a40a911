-- CONFIRM: who confirms, oldest ms that still counts. One use. Returns {1, payload} or {0}.
local found = redis.call('HMGET', KEYS[1], 'payload', 'at', 'used')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not found[1] or now - tonumber(found[2]) > tonumber(ARGV[2]) then return { 0 } end
if found[3] and found[3] ~= ARGV[1] then return { 0 } end
redis.call('HSET', KEYS[1], 'used', ARGV[1])
return { 1, found[1] }
