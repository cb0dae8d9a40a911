-- NOTE: names to delete (commas), then name and value in turns; KEYS[2] is where a payload may be apart. Only on a record that is there and not erased; returns 1 or 0.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[1], 'state') == 'geloescht' then return 0 end
for name in string.gmatch(ARGV[1], '[^,]+') do
  redis.call('HDEL', KEYS[1], name)
  if name == 'payload' then redis.call('DEL', KEYS[2]) end
end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
