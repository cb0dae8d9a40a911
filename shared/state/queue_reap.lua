-- REAP: how many at most of each kind. Returns {expired leases given back, due entries enqueued}.
local limit = ARGV[3]
local expired = redis.call('ZRANGEBYSCORE', PROCESSING, '-inf', int(NOW), 'LIMIT', 0, limit)
for _, id in ipairs(expired) do
  local current = owner(id)
  drop_lease(id)
  if current then give_back(id, current.ops) end
  local ops = pending_ops(id)
  if #ops > 0 then enqueue(id, ops) else redis.call('ZREM', SINCE, id) end
end
local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', int(NOW), 'LIMIT', 0, limit)
for _, id in ipairs(due) do
  redis.call('ZREM', DELAYED, id)
  local ops = pending_ops(id)
  if #ops > 0 then enqueue(id, ops) end
end
return { #expired, #due }
