"""Which refusals leave a row of their own, and how the others are counted."""

import uuid
from dataclasses import replace

from sessions_api.refusals import Refusal, RefusalFold

ALDER = uuid.uuid4()
MINUTE = 29_000_000
STRANGER = Refusal(ALDER, "origin_not_allowed", "origin_not_allowed", "https://stranger.example", MINUTE)


def test_the_first_of_a_kind_leave_rows_and_the_rest_one_count() -> None:
    fold = RefusalFold(rows_per_kind=20)

    leaving = [fold.leaves_row(STRANGER) for _ in range(120)]
    [row] = fold.take_counted(before_minute=MINUTE + 1)

    assert leaving == [True] * 20 + [False] * 100
    assert (row.count, row.outcome, row.origin, row.tenant_id) == (100, STRANGER.outcome, STRANGER.place, ALDER)
    assert int(row.at.timestamp()) // 60 == MINUTE


def test_a_minute_is_counted_when_it_is_over_and_only_once() -> None:
    fold = RefusalFold(rows_per_kind=0)
    fold.leaves_row(STRANGER)

    early = fold.take_counted(before_minute=MINUTE)
    due = fold.take_counted(before_minute=MINUTE + 1)
    again = fold.take_counted(before_minute=MINUTE + 5)

    assert (len(early), len(due), len(again)) == (0, 1, 0)


def test_another_reason_place_minute_or_tenant_is_another_kind() -> None:
    fold = RefusalFold(rows_per_kind=1)
    others = [
        replace(STRANGER, reason="other"),
        replace(STRANGER, place="https://other.example"),
        replace(STRANGER, minute=MINUTE + 1),
        replace(STRANGER, tenant_id=uuid.uuid4()),
    ]

    assert all(fold.leaves_row(kind) for kind in [STRANGER, *others])
    assert not any(fold.leaves_row(kind) for kind in [STRANGER, *others])


def test_invented_origins_cannot_make_kinds_without_end() -> None:
    fold = RefusalFold(rows_per_kind=20, kinds_per_tenant=50)

    leaving = [fold.leaves_row(replace(STRANGER, place=f"https://{number}.example")) for number in range(10_000)]
    rows = fold.take_counted(before_minute=MINUTE + 1)

    assert sum(leaving) == 50 + 20
    assert len(rows) == 1
    assert (rows[0].count, rows[0].origin) == (10_000 - 70, "")


def test_a_flood_is_counted_from_the_first() -> None:
    fold = RefusalFold()
    flood = Refusal(ALDER, "rate_limited", "address_flood", "203.0.113.0/24", MINUTE)

    assert not any(fold.leaves_row(flood, at_most=0) for _ in range(7))
    [row] = fold.take_counted(before_minute=MINUTE + 1)

    assert (row.count, row.address, row.origin) == (7, "203.0.113.0/24", "")
