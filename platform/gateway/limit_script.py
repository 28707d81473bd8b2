"""The one script that decides in Redis, on its own clock, and what is said to it and by it.

KEYS: counters that get something back; then for each request its limits and its quotas.
ARGV: how many counters get something back, and how much each; how many requests; then for each of them the numbers of
its limits and quotas, for each limit its interval and tolerance in microseconds and whether it is on trial (0, 1), for
each quota its size and whether it is on trial.
Answer, for each request: the number of what refuses, counted from 1 through its limits and on through its quotas (0:
admitted; negative: that quota has no counter, so nothing is decided); the microseconds until a limit would admit; a bit
for each on trial that would have refused; for each limit the microseconds by which its TAT lies ahead of now; for each
quota its counter. The latter two are 0 for what was not admitted.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.quotas import Quota

PREFIX: Final = "ckp:limit:"

Request = tuple[Sequence[Limit], Sequence[Quota]]

SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answers, key, arg = {}, 0, 1
for i = 1, tonumber(ARGV[1]) do
  key, arg = key + 1, arg + 1
  local back = math.min(tonumber(redis.call('GET', KEYS[key]) or '0'), tonumber(ARGV[arg]))
  if back > 0 then
    redis.call('DECRBY', KEYS[key], back)
  end
end
arg = arg + 1
for request = 1, tonumber(ARGV[arg]) do
  local limits, quotas = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
  local number, wait, trial, values, charged = 0, 0, 0, {}, {}
  arg = arg + 2
  for i = 1, limits do
    local interval, tolerance = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
    if number == 0 then
      local tat = math.max(tonumber(redis.call('GET', KEYS[key + i]) or '0'), now)
      local beyond = tat - now - tolerance
      if beyond <= 0 then
        values[i], charged[i] = tat + interval, true
      elseif ARGV[arg + 3] == '1' then
        values[i], trial = tat, trial + 2 ^ (i - 1)
      else
        number, wait = i, beyond
      end
    end
    arg = arg + 3
  end
  for i = limits + 1, limits + quotas do
    if number == 0 then
      local used = redis.call('GET', KEYS[key + i])
      if not used then
        number = -i
      elseif tonumber(used) >= tonumber(ARGV[arg + 1]) then
        if ARGV[arg + 2] == '1' then
          trial = trial + 2 ^ (i - 1)
        else
          number = i
        end
      end
    end
    arg = arg + 2
  end
  answers[#answers + 1] = number
  answers[#answers + 1] = wait
  answers[#answers + 1] = trial
  for i = 1, limits do
    if number == 0 and charged[i] then
      local milliseconds = math.ceil((values[i] - now) / 1000) + 1
      redis.call('SET', KEYS[key + i], string.format('%.0f', values[i]), 'PX', milliseconds)
    end
    answers[#answers + 1] = number == 0 and values[i] - now or 0
  end
  for i = limits + 1, limits + quotas do
    answers[#answers + 1] = number == 0 and redis.call('INCR', KEYS[key + i]) or 0
  end
  key = key + limits + quotas
end
return answers
"""

# KEYS: one counter. ARGV: what it is at least, and when it goes (epoch seconds). Whoever comes second changes nothing.
RAISE_SCRIPT: Final = """
if tonumber(redis.call('GET', KEYS[1]) or '-1') < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('EXPIREAT', KEYS[1], ARGV[2])
end
"""


def encode(requests: Sequence[Request], given_back: Mapping[str, int]) -> tuple[list[str], list[int]]:
    """KEYS and ARGV."""
    keys = [PREFIX + key for key in given_back]
    arguments = [len(given_back), *given_back.values(), len(requests)]
    for limits, quotas in requests:
        arguments += len(limits), len(quotas)
        for limit in limits:
            keys.append(PREFIX + limit.key)
            arguments += limit.interval, limit.tolerance, int(limit.is_on_trial)
        for quota in quotas:
            keys.append(PREFIX + quota.key)
            arguments += quota.most, int(quota.is_on_trial)
    return keys, arguments


def decode(requests: Sequence[Request], answer: Sequence[int]) -> list[Decision]:
    """Raises ValueError for an answer that no such script gives."""
    if len(answer) != sum(3 + len(limits) + len(quotas) for limits, quotas in requests):
        raise ValueError("The answer of Redis has another length than the question demands.")
    decisions: list[Decision] = []
    at = 0
    for limits, quotas in requests:
        number, wait, trial = answer[at : at + 3]
        values = answer[at + 3 : at + 3 + len(limits) + len(quotas)]
        at += 3 + len(values)
        decisions.append(_decision(limits, quotas, number, wait, trial, values))
    return decisions


def _decision(
    limits: Sequence[Limit], quotas: Sequence[Quota], number: int, wait: int, trial: int, values: Sequence[int]
) -> Decision:
    if number < 0:
        return Decision(limits, quotas, is_unknown=True, is_by_redis=True)
    each: list[Limit | Quota] = [*limits, *quotas]
    if number:
        return Decision(limits, quotas, refused_by=each[number - 1], retry_after=wait / 1e6, is_by_redis=True)
    return Decision(
        limits,
        quotas,
        on_trial=tuple(one.reason for bit, one in enumerate(each) if trial >> bit & 1),
        ahead=values[: len(limits)],
        used=values[len(limits) :],
        is_by_redis=True,
    )
