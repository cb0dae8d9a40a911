-- NOTE: upstream. Writes Redis's own time in ms.
local t = redis.call('TIME')
local ms = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
return redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', ms))
