-- ADD, on its own and with only the keys it touches, because a sender waits for it.
-- KEYS: queue, processing, unsent, since, the SET of the op, then the SETs of the ops it supersedes.
-- ARGV: outbox (0 or 1), op, the superseded ops in the order of their SETs (commas), the id of the request that
-- asks for it (or nothing), then the ids.
-- Returns µs, then 1 (new) or 0 (was pending) for each id.
local QUEUE, PROCESSING, UNSENT, SINCE, SET = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local REQUEST = ARGV[4] ~= '' and { 'request', ARGV[4] } or {}
local call = redis.call
local time = call('TIME')
local us = time[1] .. string.format('%06d', time[2])
local ms = string.sub(us, 1, -4)
local answer = { tonumber(us) }
for i = 5, #ARGV do
  local id = ARGV[i]
  local added = call('SADD', SET, id)
  if added == 1 then
    call('ZADD', SINCE, 'NX', ms, id)
    if not call('ZSCORE', PROCESSING, id) then
      if ARGV[1] == '1' then
        call('ZADD', UNSENT, us, ARGV[2] .. '|' .. id)
      else
        call('XADD', QUEUE, '*', 'item', id, unpack(REQUEST))
      end
    end
  end
  if #KEYS > 5 then
    local position = 5
    for other in string.gmatch(ARGV[3], '[^,]+') do
      position = position + 1
      call('SREM', KEYS[position], id)
      call('ZREM', UNSENT, other .. '|' .. id)
    end
  end
  answer[#answer + 1] = added
end
return answer
