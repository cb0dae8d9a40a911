-- STATS: {pending, processing, delayed, dead, unsent, age ms of the oldest, age ms of the oldest dead letter}.
local waiting = 0
for _, op in ipairs(OPS) do waiting = waiting + redis.call('SCARD', SETS[op]) end
local first = redis.call('ZRANGE', SINCE, 0, 0, 'WITHSCORES')
local dead = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', 1)[1]
return {
  waiting, redis.call('ZCARD', PROCESSING), redis.call('ZCARD', DELAYED), redis.call('XLEN', DEAD),
  redis.call('ZCARD', UNSENT), first[2] and int(NOW - tonumber(first[2])) or '0',
  dead and int(NOW - tonumber(string.match(dead[1], '^%d+'))) or '0',
}
