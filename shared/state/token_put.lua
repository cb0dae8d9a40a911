-- PUT: token, timestamp; value, ms to live, ms since it was asked for. Both keys end together.
local t = redis.call('TIME')
local asked = tonumber(t[1]) + tonumber(t[2]) / 1000000 - tonumber(ARGV[3]) / 1000
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], string.format('%.3f', asked), 'PX', ARGV[2])
return 1
