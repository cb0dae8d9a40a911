-- SWEEP: minimal age in ms, ids. Enqueues those that nobody works on and nothing announces.
local newest, announced = NOW - tonumber(ARGV[3]), {}
if not OUTBOX then
  if redis.call('XLEN', QUEUE) > 5000 then return 0 end -- the backlog comes first; a later sweep looks again
  for _, entry in ipairs(redis.call('XRANGE', QUEUE, '-', '+')) do announced[entry[2][2]] = true end
end
local swept = 0
for i = 4, #ARGV do
  local id = ARGV[i]
  local ops, since = pending_ops(id), tonumber(redis.call('ZSCORE', SINCE, id) or '0')
  local idle = not lease_end(id) and not redis.call('ZSCORE', DELAYED, id)
  if #ops > 0 and idle and not announced[id] and since <= newest then
    redis.call('ZADD', SINCE, 'NX', int(NOW), id)
    enqueue(id, ops)
    swept = swept + 1
  end
end
return swept
