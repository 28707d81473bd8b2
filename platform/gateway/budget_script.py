"""The scripts that keep budgets in Redis, on its own clock, and what is said to them and by them.

Each budget has a hash of what is `used` (settled) and what is `held` (reserved by runs in work), and a sorted set of the
holds by the millisecond at which each lapses; a hold is called `<run>:<amount>`. A process that is killed between
reserving and settling leaves holds behind: whoever asks next drops those that have lapsed.

Reserve. KEYS: for each budget its hash and its set. ARGV: the run; how many milliseconds a hold lasts; for each budget
    its size, the amount, whether it is on trial (0, 1).
    Answer: the number of the budget that refuses, from 1 (0: all are reserved; negative: that one has no counter, so nothing is
    decided); a bit for each on trial that would have refused; for each what was used, and what was held, before.
Settle. KEYS likewise. ARGV: the run; for each budget the amount that was reserved and what was used indeed. A hold that is
    no more there was settled before, has lapsed or was flushed: nothing is added, and the ledger makes up for it.
Raise. KEYS: one budget. ARGV: what is used at least, and when it goes (epoch seconds). Who comes second changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.budgets import Budget, Charge, Measure, Reservation

PREFIX: Final = "ckp:"
HOLDS: Final = ":holds"

RESERVE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local run, lasts = ARGV[1], tonumber(ARGV[2])
local number, trial, seen = 0, 0, {}
for i = 1, #KEYS / 2 do
  local counter, holds, arg = KEYS[2 * i - 1], KEYS[2 * i], 3 * i
  local lapsed = redis.call('ZRANGEBYSCORE', holds, '-inf', now, 'LIMIT', 0, 200)
  for _, hold in ipairs(lapsed) do
    redis.call('ZREM', holds, hold)
    if redis.call('EXISTS', counter) == 1 then
      redis.call('HINCRBY', counter, 'held', '-' .. string.match(hold, ':(%d+)$'))
    end
  end
  local used = redis.call('HGET', counter, 'used')
  local held = tonumber(redis.call('HGET', counter, 'held') or '0')
  seen[2 * i - 1], seen[2 * i] = tonumber(used or '0'), held
  if number == 0 then
    if not used then
      number = -i
    elseif tonumber(used) + held >= tonumber(ARGV[arg]) then
      if ARGV[arg + 2] == '1' then
        trial = trial + 2 ^ (i - 1)
      else
        number = i
      end
    end
  end
end
if number == 0 then
  for i = 1, #KEYS / 2 do
    local counter, holds, amount = KEYS[2 * i - 1], KEYS[2 * i], ARGV[3 * i + 1]
    if redis.call('ZADD', holds, now + lasts, run .. ':' .. amount) == 1 then
      redis.call('HINCRBY', counter, 'held', amount)
    end
    redis.call('PEXPIRE', holds, lasts + 60000)
  end
end
local answer = {number, trial}
for i = 1, #seen do
  answer[i + 2] = seen[i]
end
return answer
"""

SETTLE: Final = """
local settled = 0
for i = 1, #KEYS / 2 do
  local counter, holds, amount, actual = KEYS[2 * i - 1], KEYS[2 * i], ARGV[2 * i], ARGV[2 * i + 1]
  if redis.call('ZREM', holds, ARGV[1] .. ':' .. amount) == 1 then
    settled = settled + 1
    if redis.call('EXISTS', counter) == 1 then
      redis.call('HINCRBY', counter, 'held', '-' .. amount)
      redis.call('HINCRBY', counter, 'used', actual)
    end
  end
end
return settled
"""

RAISE: Final = """
local used = redis.call('HGET', KEYS[1], 'used')
if not used then
  local held = 0
  for _, hold in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    held = held + tonumber(string.match(hold, ':(%d+)$'))
  end
  redis.call('HSET', KEYS[1], 'used', ARGV[1], 'held', string.format('%.0f', held))
  redis.call('EXPIREAT', KEYS[1], ARGV[2])
elseif tonumber(used) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'used', ARGV[1])
end
"""

Said = tuple[list[str], list[int | str]]


def keys_of(budgets: Sequence[Budget]) -> list[str]:
    return [key for budget in budgets for key in (PREFIX + budget.key, PREFIX + budget.key + HOLDS)]


def encode_reserve(run_id: str, charges: Sequence[Charge], *, lasts_ms: int) -> Said:
    arguments: list[int | str] = [run_id, lasts_ms]
    for charge in charges:
        arguments += charge.budget.most, charge.amount, int(charge.budget.is_on_trial)
    return keys_of([charge.budget for charge in charges]), arguments


def encode_settle(reservation: Reservation, actual: Mapping[Measure, int]) -> Said:
    arguments: list[int | str] = [reservation.run_id]
    for charge in reservation.charges:
        arguments += charge.amount, actual.get(charge.budget.measure, 0)
    return keys_of([charge.budget for charge in reservation.charges]), arguments


def decode_reserve(run_id: str, charges: Sequence[Charge], answer: Sequence[int]) -> Reservation:
    """Raises ValueError for an answer that no such script gives."""
    if len(answer) != 2 + 2 * len(charges):
        raise ValueError("The answer of Redis has another length than the question demands.")
    number, trial, *seen = answer
    return Reservation(
        run_id,
        charges,
        refused_by=charges[number - 1].budget if number > 0 else None,
        on_trial=tuple(charge.budget.reason for bit, charge in enumerate(charges) if number == 0 and trial >> bit & 1),
        used=seen[0::2],
        held=seen[1::2],
        is_unknown=number < 0,
        is_by_redis=True,
    )
