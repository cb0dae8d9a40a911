-- SENT: op|id, µs of the entry that was handed off ('' for any). A newer entry stays: it has not been sent.
local score = redis.call('ZSCORE', UNSENT, ARGV[3])
if not score or (ARGV[4] ~= '' and tonumber(score) > tonumber(ARGV[4])) then return 0 end
return redis.call('ZREM', UNSENT, ARGV[3])
