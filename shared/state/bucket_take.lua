-- TAKE: bucket; units, units per second, capacity. Returns 0 (granted) or how many ms to wait.
local units, rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'ts')
local tokens, ts = tonumber(state[1] or capacity), tonumber(state[2] or now)
tokens = math.min(capacity, tokens + math.max(0, now - ts) * rate / 1000000)
local wait = 0
if tokens >= units then
  tokens = tokens - units
else
  wait = math.ceil((units - tokens) / rate * 1000)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'ts', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(2000 * capacity / rate) + 1000)
return wait
