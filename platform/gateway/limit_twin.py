"""The twin of the limits in Redis: the same decisions in this process's memory alone, without any I/O."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.quotas import Quota

MOST_KEYS: Final = 50_000
MOST_COUNTERS: Final = 20_000


class Twin:
    """TATs of limits and counters of quotas by key. The oldest go when there are too many."""

    def __init__(self, *, most_keys: int = MOST_KEYS, most_counters: int = MOST_COUNTERS) -> None:
        self._most_keys = most_keys
        self._most_counters = most_counters
        self._tats: OrderedDict[str, int] = OrderedDict()
        self._used: OrderedDict[str, int] = OrderedDict()

    def take(self, limits: Sequence[Limit], quotas: Sequence[Quota] = (), *, now: int) -> Decision:
        """Admit one request under all at once, or charge none of them; `now` in microseconds."""
        on_trial: list[str] = []
        for limit in limits:
            beyond = self._tats.get(limit.key, now) - now - limit.tolerance
            if beyond <= 0:
                continue
            if not limit.is_on_trial:
                return Decision(limits, quotas, refused_by=limit, retry_after=beyond / 1e6)
            on_trial.append(limit.reason)
        for quota in quotas:
            used = self._used.get(quota.key)
            if used is None:
                return Decision(limits, quotas, is_unknown=True)
            if used < quota.most:
                continue
            if not quota.is_on_trial:
                return Decision(limits, quotas, refused_by=quota)
            on_trial.append(quota.reason)
        for quota in quotas:
            self._set_used(quota.key, self._used[quota.key] + 1)
        used_now = [self._used[quota.key] for quota in quotas]
        return Decision(
            limits, quotas, on_trial=tuple(on_trial), ahead=self._charge(limits, on_trial, now), used=used_now
        )

    def follow(self, decision: Decision, *, now: int) -> None:
        """Charge what Redis has admitted, so that the twin is warm when it must decide."""
        self._charge(decision.limits, decision.on_trial, now)
        for quota, used in zip(decision.quotas, decision.used, strict=True):
            self._set_used(quota.key, used)

    def raise_to(self, quota: Quota, used: int) -> None:
        """The counter, made where there is none, is at least this."""
        self._set_used(quota.key, max(used, self._used.get(quota.key, 0)))

    def give_back(self, quotas: Iterable[Quota]) -> None:
        for quota in quotas:
            if self._used.get(quota.key, 0) > 0:
                self._used[quota.key] -= 1

    def _charge(self, limits: Sequence[Limit], on_trial: Sequence[str], now: int) -> list[int]:
        ahead: list[int] = []
        for limit in limits:
            tat = max(self._tats.get(limit.key, now), now)
            if not (limit.is_on_trial and limit.reason in on_trial):
                tat += limit.interval
            self._tats[limit.key] = tat
            self._tats.move_to_end(limit.key)
            ahead.append(tat - now)
        while len(self._tats) > self._most_keys:
            self._tats.popitem(last=False)
        return ahead

    def _set_used(self, key: str, used: int) -> None:
        self._used[key] = used
        self._used.move_to_end(key)
        if len(self._used) > self._most_counters:
            self._used.popitem(last=False)
