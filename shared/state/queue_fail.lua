-- FAIL: id, token, delay ms, how (count, keep, postpone), limit, max age ms, error, exhausted (dead, drop).
-- Returns {kind, attempts}. Postponed work has not failed, so its history stays as it is.
local id, token, delay, how = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local limit, max_age, message, exhausted = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10]
local current = owner(id)
local count, first = history(id)
if not current or current.token ~= token then return { 'lost', count } end
drop_lease(id)
if how ~= 'postpone' then
  if how == 'count' then count = count + 1 end
  if first == 0 then first = NOW end
  if (how == 'count' and count >= limit) or NOW - first > max_age then
    redis.call('HDEL', ATTEMPTS, id)
    if exhausted == 'drop' then
      settle(id)
      return { 'dropped', count }
    end
    local ops = table.concat(merged(pending_ops(id), current.ops), ',')
    forget_pending(id)
    redis.call('ZREM', SINCE, id)
    redis.call('XADD', DEAD, '*', 'item', id, 'ops', ops, 'attempts', count, 'error', message)
    return { 'dead', count }
  end
  redis.call('HSET', ATTEMPTS, id, int(count) .. '|' .. int(first) .. '|' .. int(NOW))
end
give_back(id, current.ops)
redis.call('ZADD', DELAYED, int(NOW + delay), id)
return { 'delayed', count }
