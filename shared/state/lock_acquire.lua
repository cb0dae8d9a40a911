-- ACQUIRE: lock, dirty, fence; token, ms. Returns the fence, or 0 after leaving a mark for the holder.
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[3]) or '1')
end
if held then
  redis.call('SET', KEYS[2], '1')
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[3])
