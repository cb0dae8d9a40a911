-- ADD: op, ops it supersedes (commas), ids. Returns µs, then 1 (new) or 0 (was pending) for each id.
local op, superseded = ARGV[3], split(ARGV[4], ',')
local answer = { int(NOW_US) }
for i = 5, #ARGV do
  local id = ARGV[i]
  local added = redis.call('SADD', SETS[op], id)
  if added == 1 then
    redis.call('ZADD', SINCE, 'NX', int(NOW), id)
    if not lease_end(id) then enqueue(id, { op }) end
  end
  for _, other in ipairs(superseded) do
    redis.call('SREM', SETS[other], id)
    redis.call('ZREM', UNSENT, other .. '|' .. id)
  end
  answer[#answer + 1] = added
end
return answer
