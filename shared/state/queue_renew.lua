-- RENEW: id, token, lease ms. Returns 1, or 0 when the lease is not ours any more.
local id, token, lease = ARGV[3], ARGV[4], tonumber(ARGV[5])
local current = owner(id)
if not current or current.token ~= token then return 0 end
redis.call('ZADD', PROCESSING, int(NOW + lease), id)
return 1
