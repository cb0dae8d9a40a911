-- APART: let a payload that is still there end some seconds from now, in a key of its own. Returns 1 or 0.
local sealed = redis.call('HGET', KEYS[1], 'payload')
if not sealed then return 0 end
redis.call('SET', KEYS[2], sealed, 'EX', ARGV[1])
redis.call('HSET', KEYS[1], 'apart', 1)
redis.call('HDEL', KEYS[1], 'payload')
return 1
