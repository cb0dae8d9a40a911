-- What the scripts of one queue share. KEYS: as in keys.QUEUE_SUFFIXES, then one SET for each op.
-- ARGV: outbox (0 or 1), ops separated by commas, then the script's own from ARGV[3] on.
local QUEUE, PROCESSING, OWNER, FENCE, ATTEMPTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local DELAYED, DEAD, UNSENT, SINCE = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local OUTBOX = ARGV[1] == '1'
local OPS, SETS = {}, {}
for op in string.gmatch(ARGV[2], '[^,]+') do
  OPS[#OPS + 1] = op
  SETS[op] = KEYS[9 + #OPS]
end

local TIME = redis.call('TIME')
local NOW_US = tonumber(TIME[1]) * 1000000 + tonumber(TIME[2])
local NOW = math.floor(NOW_US / 1000)

local function int(number)
  return string.format('%.0f', number)
end

local function split(text, separator)
  local parts = {}
  for part in string.gmatch((text or '') .. separator, '(.-)%' .. separator) do
    if part ~= '' then parts[#parts + 1] = part end
  end
  return parts
end

local function pending_ops(id)
  local found = {}
  for _, op in ipairs(OPS) do
    if redis.call('SISMEMBER', SETS[op], id) == 1 then found[#found + 1] = op end
  end
  return found
end

local function merged(first, second)
  local has, all = {}, {}
  for _, op in ipairs(first) do has[op] = true end
  for _, op in ipairs(second) do has[op] = true end
  for _, op in ipairs(OPS) do
    if has[op] then all[#all + 1] = op end
  end
  return all
end

local function forget_pending(id)
  for _, op in ipairs(OPS) do
    redis.call('SREM', SETS[op], id)
    redis.call('ZREM', UNSENT, op .. '|' .. id)
  end
  redis.call('ZREM', DELAYED, id)
end

local function enqueue(id, ops, request)
  if not OUTBOX then
    redis.call('XADD', QUEUE, '*', 'item', id, unpack((request or '') ~= '' and { 'request', request } or {}))
    return
  end
  for _, op in ipairs(ops) do
    redis.call('ZADD', UNSENT, int(NOW_US), op .. '|' .. id)
  end
end

-- the owner of a lease: token, fence, ops; nil when nobody holds it
local function owner(id)
  local parts = split(redis.call('HGET', OWNER, id), '|')
  if #parts < 2 then return nil end
  return { token = parts[1], fence = parts[2], ops = split(parts[3], ',') }
end

local function lease_end(id)
  local score = redis.call('ZSCORE', PROCESSING, id)
  return score and tonumber(score) or nil
end

local function drop_lease(id)
  redis.call('ZREM', PROCESSING, id)
  redis.call('HDEL', OWNER, id)
end

local function give_back(id, ops)
  for _, op in ipairs(ops) do
    if SETS[op] then redis.call('SADD', SETS[op], id) end
  end
  redis.call('ZADD', SINCE, 'NX', int(NOW), id)
end

-- failures so far: count, ms of the first and of the last
local function history(id)
  local parts = split(redis.call('HGET', ATTEMPTS, id), '|')
  return tonumber(parts[1] or '0'), tonumber(parts[2] or '0'), tonumber(parts[3] or '0')
end

-- after the end of a run: new work that came meanwhile waits from now on
local function settle(id)
  redis.call('ZREM', SINCE, id)
  local ops = pending_ops(id)
  if #ops > 0 then
    redis.call('ZADD', SINCE, int(NOW), id)
    enqueue(id, ops)
  end
end
