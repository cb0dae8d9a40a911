-- DONE: id, token. Returns 1, or 0 when the lease is not ours any more.
local id, token = ARGV[3], ARGV[4]
local current = owner(id)
if not current or current.token ~= token then return 0 end
drop_lease(id)
redis.call('HDEL', ATTEMPTS, id)
settle(id)
return 1
