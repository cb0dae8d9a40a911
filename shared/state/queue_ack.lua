-- ACK: group, stream id. Acknowledged and deleted in one step, so the stream holds only what is still to do.
redis.call('XACK', QUEUE, ARGV[3], ARGV[4])
return redis.call('XDEL', QUEUE, ARGV[4])
