-- ACCEPT: id, nonce, body hashes (commas, by the present key first), payload, answer, given key (1) or derived (0),
-- ttl s, window ms, rate a minute, sender, how many addresses and numbers follow in KEYS, the id of the request.
-- KEYS after the queue's: record, content mark, visitor's hour, visitor's day, text, rate, addresses and numbers,
-- then what the same lead is called by older keys: its records when the key was given, else its content marks.
-- Returns {kind, id, answer, in hour, in day, same text}; kind is new, replay or conflict.
local id, nonce, bodies, payload, answer = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local given, ttl, window, rate, sender = ARGV[8] == '1', tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12]
local who = tonumber(ARGV[13])
local RECORD, MARK, HOUR, DAY, TEXT, RATE = KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16]
local WHO, OLDER = 17, 17 + who

local function seen(record)
  local found = redis.call('HMGET', record, 'id', 'nonce', 'body', 'answer', 'hour', 'day', 'text')
  if not found[1] then return nil end
  local kind = 'replay'
  if found[2] == nonce then
    kind = 'new'
  elseif given and found[3] and not string.find(bodies, found[3], 1, true) then
    kind = 'conflict'
  end
  return { kind, found[1], found[4] or answer, tonumber(found[5] or '0'), tonumber(found[6] or '0'), tonumber(found[7] or '0') }
end

local function seen_by_mark(mark)
  local marked = redis.call('GET', mark)
  return marked and seen('lead:record:' .. marked)
end

for i = OLDER, #KEYS do
  local older
  if given then older = seen(KEYS[i]) else older = seen_by_mark(KEYS[i]) end
  if older then return older end
end
local same = (not given and seen_by_mark(MARK)) or seen(RECORD)
if same then return same end

local function count(key, seconds)
  if key == '' then return 0 end
  local value = redis.call('INCR', key)
  if value == 1 then redis.call('EXPIRE', key, seconds) end
  return value
end

local hour, day, text = count(HOUR, 3600), count(DAY, 86400), 0
if TEXT ~= '' then
  redis.call('SADD', TEXT, sender)
  redis.call('EXPIRE', TEXT, 86400)
  text = redis.call('SCARD', TEXT)
end
redis.call('HSET', RECORD, 'id', id, 'nonce', nonce, 'body', string.match(bodies, '^[^,]*'), 'payload', payload, 'answer', answer,
  'at', int(NOW), 'state', 'angenommen', 'hour', hour, 'day', day, 'text', text)
redis.call('EXPIRE', RECORD, ttl)
redis.call('ZADD', 'lead:recent', int(NOW), id)
redis.call('ZREMRANGEBYRANK', 'lead:recent', 0, -51)
if not given then redis.call('SET', MARK, id, 'PX', window) end
for i = WHO, OLDER - 1 do
  redis.call('SADD', KEYS[i], id)
  redis.call('EXPIRE', KEYS[i], ttl)
end

-- the sender's turn: within the rate at once, beyond it when its minute comes
local due = NOW
if rate > 0 then
  local step = 60000 / rate
  local ends = math.max(tonumber(redis.call('GET', RATE) or '0'), NOW)
  due = ends - (60000 - step)
  redis.call('SET', RATE, int(ends + step), 'PX', int(ends + step - NOW + 1000))
end
redis.call('SADD', SETS['intake'], id)
redis.call('ZADD', SINCE, 'NX', int(NOW), id)
if due > NOW then
  redis.call('ZADD', DELAYED, int(due), id)
elseif not lease_end(id) then
  enqueue(id, { 'intake' }, ARGV[14])
end
return { 'new', id, answer, hour, day, text }
