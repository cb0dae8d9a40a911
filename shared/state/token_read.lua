-- READ: token, timestamp, refresh, cooldown, failed.
-- Returns {token or '', ms it still lives, ms of its whole life, ms of cooldown, mark of the last failed refresh}.
local value = redis.call('GET', KEYS[1])
local rest = math.max(0, redis.call('PTTL', KEYS[1]))
local t = redis.call('TIME')
local since = tonumber(redis.call('GET', KEYS[2]) or '')
local age = since and math.max(0, (tonumber(t[1]) + tonumber(t[2]) / 1000000 - since) * 1000) or 0
return {
  value or '', rest, math.floor(age + rest), math.max(0, redis.call('PTTL', KEYS[4])), redis.call('GET', KEYS[5]) or ''
}
