-- ERASE: drop what is personal of a record that is there, and let it go on no more; KEYS[2] is where a payload may be apart. Returns 1 or 0.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'payload', 'confirmed')
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'state', 'geloescht')
return 1
