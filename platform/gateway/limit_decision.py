"""What became of one request under its limits and quotas, whoever decided: Redis or the twin in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.gcra import Limit
from gateway.quotas import Quota


@dataclass(frozen=True, slots=True)
class Decision:
    """`refused_by` is None for an admitted request, which was charged to all; a refused one was charged to none.

    `retry_after` is in seconds, for a refusal by a limit. `on_trial` has the reasons of those that would have refused.
    `ahead` says by how many microseconds each limit's TAT lies ahead of now, `used` what each quota's counter stands at;
    both are empty for a refusal. `is_unknown`: nothing was decided, since a quota has no counter yet.
    `may_be_in_redis`: the twin decided since Redis's answer was lost, and Redis may have charged all the same.
    """

    limits: Sequence[Limit]
    quotas: Sequence[Quota] = ()
    refused_by: Limit | Quota | None = None
    retry_after: float = 0.0
    on_trial: tuple[str, ...] = ()
    ahead: Sequence[int] = ()
    used: Sequence[int] = ()
    is_unknown: bool = False
    is_by_redis: bool = False
    may_be_in_redis: bool = False

    @property
    def is_admitted(self) -> bool:
        return self.refused_by is None and not self.is_unknown
