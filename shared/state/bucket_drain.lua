-- DRAIN: bucket; units per second, capacity. Empties it.
local rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
redis.call('HSET', KEYS[1], 'tokens', '0', 'ts', string.format('%.0f', now))
return redis.call('PEXPIRE', KEYS[1], math.ceil(2000 * capacity / rate) + 1000)
