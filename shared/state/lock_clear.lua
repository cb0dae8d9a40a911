-- CLEAR: lock, dirty; token. Forgets the mark if the lock is ours. Returns 1 if it is.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
return 1
