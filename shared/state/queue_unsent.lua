-- UNSENT: minimal age in ms, count. Returns op|id, score, …, the oldest first.
return redis.call('ZRANGEBYSCORE', UNSENT, '-inf', int(NOW - tonumber(ARGV[3])), 'WITHSCORES', 'LIMIT', 0, ARGV[4])
