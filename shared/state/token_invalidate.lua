-- INVALIDATE: token, timestamp; the token that failed. A newer one stays.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])
