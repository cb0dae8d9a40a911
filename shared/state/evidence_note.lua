-- NOTE: upstream, and why it failed if it did. Writes Redis's own time in ms, behind the reason if there is one.
local t = redis.call('TIME')
local ms = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
local why = ARGV[2] or ''
return redis.call('HSET', KEYS[1], ARGV[1], why == '' and ms or why .. '|' .. ms)
