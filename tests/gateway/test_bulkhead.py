"""One tenant's calls never take another's room, and all of them together never the process's."""

from contextlib import ExitStack

import pytest

from gateway.bulkhead import Bulkhead
from gateway.errors import PublicError


def take(bulkhead: Bulkhead, stack: ExitStack, name: str, times: int) -> None:
    for _ in range(times):
        stack.enter_context(bulkhead.room(name))


def reason(bulkhead: Bulkhead, name: str) -> str:
    with pytest.raises(PublicError) as refused, bulkhead.room(name):
        pass
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("busy", 503, 1)
    return refused.value.reason


@pytest.mark.proof("L1")
def test_a_tenant_that_takes_all_its_places_leaves_the_others_theirs() -> None:
    bulkhead = Bulkhead(capacity=64, total=2_000)
    with ExitStack() as stack:
        take(bulkhead, stack, "alder", 64)

        assert reason(bulkhead, "alder") == "bulkhead"
        take(bulkhead, stack, "birch", 64)


def test_what_is_over_the_process_s_cap_is_refused_at_once_whoever_asks() -> None:
    bulkhead = Bulkhead(capacity=2, total=5)
    with ExitStack() as stack:
        for name in ("alder", "birch", "cedar"):
            take(bulkhead, stack, name, 2 if name != "cedar" else 1)

        assert reason(bulkhead, "cedar") == "process_full"
        assert reason(bulkhead, "dogwood") == "process_full"
        assert reason(bulkhead, "alder") == "bulkhead"


def test_places_come_back_also_after_a_failure_and_nothing_is_remembered() -> None:
    bulkhead = Bulkhead(capacity=1, total=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="ours"), bulkhead.room("alder"):
            raise ValueError("ours")

    assert (dict(bulkhead._in_work), bulkhead._all) == ({}, 0)
