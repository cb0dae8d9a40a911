-- UNSENT: minimal age in ms, count. Returns op|id, µs, …, the oldest first.
return redis.call('ZRANGEBYSCORE', UNSENT, '-inf', int(NOW_US - tonumber(ARGV[3]) * 1000), 'WITHSCORES', 'LIMIT', 0, ARGV[4])
