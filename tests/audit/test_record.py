import uuid
from contextlib import suppress
from datetime import date

import pytest
import rfc8785
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actions import Action
from audit.addresses import truncate_address
from audit.chain import verify_chain
from audit.changes import described, plain
from audit.models import AuditEvent, ChainHead
from audit.record import SYSTEM, Actor, Subject, canonical, link_hash, record

SUBJECT = Subject("tenant", "7", "Harbour Books")


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_the_transaction_of_its_change_is_refused():
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        record(Action.TENANT_CREATED, actor=SYSTEM, subject=SUBJECT)

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_neither_row_nor_gap(append):
    append("before")
    with suppress(IntegrityError), transaction.atomic():
        record(Action.TENANT_CHANGED, actor=SYSTEM, subject=SUBJECT)
        raise IntegrityError("the change failed")
    append("after")

    assert list(AuditEvent.objects.order_by("seq").values_list("seq", "subject")) == [(1, "before"), (2, "after")]
    assert verify_chain().holds


@pytest.mark.django_db
def test_each_event_names_the_hash_before_it_and_the_head_names_the_last(append):
    first, second = append(), append()

    assert first.prev_hash == "0" * 64
    assert second.prev_hash == first.hash
    assert ChainHead.objects.get().hash == second.hash


NASTY = "a\r\nb\x1b[31m\x00\u202e\u2028\ud800" + "x" * 8192


@pytest.mark.proof("A10")
@pytest.mark.django_db
def test_hostile_text_is_printable_cut_and_read_back_to_the_same_hash(append):
    event = append(
        NASTY,
        actor=Actor(NASTY, "1", "203.0.113.0/24", NASTY),
        tenant_id=uuid.uuid4(),
        tenant_name=NASTY,
        changes={"values": {NASTY: {"old": NASTY, "new": [NASTY] * 500}}, "fields": [NASTY]},
    )

    kept = AuditEvent.objects.get(pk=event.pk)
    assert kept.subject.startswith("a��b�[31m����x")
    assert len(kept.subject) == 200
    assert len(repr(kept.changes)) < 60_000
    for text in (kept.actor, kept.request_id, kept.tenant_name, repr(kept.changes)):
        assert text.isprintable()
    assert link_hash(kept) == kept.hash


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (7, 7),
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (True, True),
        (None, None),
        (date(2026, 11, 30), "2026-11-30"),
        ({"b", "a"}, ["a", "b"]),
        ({1: {"x": (1, 2)}}, {"1": {"x": [1, 2]}}),
    ],
)
def test_values_are_kept_as_json_that_every_database_gives_back_unchanged(value, kept):
    assert plain(value) == kept


def test_the_shape_of_changes_lists_fields_in_order_and_values_apart():
    assert described({"b", "a"}, {"a": {"old": 1, "new": 2}}, fingerprint="3f9a") == {
        "fields": ["a", "b"],
        "fingerprint": "3f9a",
        "values": {"a": {"old": 1, "new": 2}},
    }


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("::1", "::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_addresses_are_kept_truncated(address, kept):
    assert truncate_address(address) == kept


def test_an_actor_is_who_the_request_says():
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.77")

    assert Actor.of(request) == Actor("anonymous", "", "203.0.113.0/24", "")


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
            max_leaves=12,
        ),
        max_size=6,
    )
)
def test_the_quick_canonical_form_is_that_of_rfc_8785(changes):
    row = {"changes": plain(changes), "seq": 7}

    assert canonical(row) == rfc8785.dumps(row)
