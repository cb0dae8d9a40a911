-- CLAIM: id, token, lease ms, op to run without a pending entry (or ''). Returns 0 held, -1 unknown,
-- else {fence, attempts, ops}. Our own running lease answers as it did the first time.
local id, token, lease, forced = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local ends, current = lease_end(id), owner(id)
local count = history(id)
if ends and ends > NOW then
  if current and current.token == token then
    return { current.fence, count, table.concat(current.ops, ',') }
  end
  return 0
end
local ops = merged(pending_ops(id), ends and current and current.ops or {})
if #ops == 0 and forced ~= '' then ops = { forced } end
if #ops == 0 then return -1 end
forget_pending(id)
local fence = redis.call('INCR', FENCE)
redis.call('ZADD', PROCESSING, int(NOW + lease), id)
redis.call('HSET', OWNER, id, token .. '|' .. int(fence) .. '|' .. table.concat(ops, ','))
redis.call('ZADD', SINCE, 'NX', int(NOW), id)
return { int(fence), count, table.concat(ops, ',') }
