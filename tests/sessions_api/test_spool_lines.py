"""What a line of the spool carries, and which lines are believed."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption.make_secrets import fresh_secrets
from sessions_api.models import LiveSession, SessionRequest, VisitorLink
from sessions_api.sightings import Sighting
from sessions_api.spool_lines import BadLine, read_line, to_line

NOW = datetime(2026, 11, 24, 12, 30, 15, 123456, tzinfo=UTC)


def rows() -> list:
    tenant = uuid.uuid4()
    return [
        SessionRequest(id=uuid.uuid4(), at=NOW, tenant_id=tenant, outcome="granted", origin="https://shop.example"),
        LiveSession(
            session_id="cksess_1",
            tenant_id=tenant,
            key_id=uuid.uuid4(),
            visitor_ref="r" * 32,
            granted_at=NOW,
            expires_at=NOW,
        ),
        VisitorLink(user="v1.tn_x.abc", tenant_id=tenant, ref="r" * 32, first_seen_at=NOW),
    ]


def columns(row) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_every_column_of_every_row_comes_back_as_it_was() -> None:
    sent = rows()

    found = read_line(to_line(sent, Sighting("r" * 32, 1_700_000_000)))

    assert [type(row) for row in found.rows] == [type(row) for row in sent]
    assert [columns(row) for row in found.rows] == [columns(row) for row in sent]
    assert found.sighting == Sighting("r" * 32, 1_700_000_000)


@given(st.text(max_size=60))
def test_no_text_of_a_client_ends_a_line(text: str) -> None:
    line = to_line([SessionRequest(at=NOW, outcome="granted", origin=text, client=text)])

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    found = read_line(line).rows[0]
    assert isinstance(found, SessionRequest)
    assert (found.origin, found.client) == (text, text)


def test_with_any_bit_flipped_it_is_no_line_of_ours() -> None:
    line = to_line(rows())
    for place in range(len(line) - 1):
        for bit in (0, 3, 7):
            flipped = bytearray(line)
            flipped[place] ^= 1 << bit
            with pytest.raises(BadLine):
                read_line(bytes(flipped))


@given(st.binary(max_size=200))
def test_what_anybody_else_puts_there_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        read_line(line)


def test_a_line_of_another_ring_is_refused(settings) -> None:
    line = to_line(rows())
    settings.SIGNING_KEYS = fresh_secrets()["SIGNING_KEYS"]

    with pytest.raises(BadLine):
        read_line(line)


def test_a_line_under_a_key_that_is_no_longer_the_first_is_read(settings) -> None:
    line = to_line(rows())
    settings.SIGNING_KEYS = "new:" + fresh_secrets()["SIGNING_KEYS"].partition(":")[2] + "," + settings.SIGNING_KEYS

    assert len(read_line(line).rows) == 3
