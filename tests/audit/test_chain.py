"""A1: whatever is tampered with is found and named."""

import json
import random
import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.append_only import protect, unprotect
from audit.chain import Checkpoint, Fault, verify_chain
from audit.models import AuditEvent, ChainHead
from audit.record import link_hash

TABLE = "audit_auditevent"


@contextmanager
def triggers_off():
    unprotect(connection, TABLE)
    yield
    protect(connection, TABLE)


@pytest.mark.django_db
def test_an_empty_chain_holds():
    assert verify_chain().holds


def _update(rng, seqs, seq):
    field = rng.choice(["actor", "action", "subject", "address", "tenant_name", "request_id", "subject_id", "actor_id"])
    AuditEvent.objects.filter(seq=seq).update(**{field: "tampered"})
    return seq


def _update_changes(rng, seqs, seq):
    AuditEvent.objects.filter(seq=seq).update(changes={"fields": ["nothing"]})
    return seq


def _update_time(rng, seqs, seq):
    event = AuditEvent.objects.get(seq=seq)
    AuditEvent.objects.filter(seq=seq).update(at=event.at + timedelta(microseconds=1))
    return seq


def _delete(rng, seqs, seq):
    AuditEvent.objects.filter(seq=seq).delete()
    return seq


def _cut_tail(rng, seqs, seq):
    AuditEvent.objects.filter(seq__gte=seq).delete()
    return seq


def _swap(rng, seqs, seq):
    other = rng.choice([number for number in seqs if number != seq])
    first, second = AuditEvent.objects.get(seq=seq), AuditEvent.objects.get(seq=other)
    AuditEvent.objects.filter(pk=first.pk).update(seq=10**6)
    AuditEvent.objects.filter(pk=second.pk).update(seq=seq)
    AuditEvent.objects.filter(pk=first.pk).update(seq=other)
    return min(seq, other)


def _duplicate_past_the_end(rng, seqs, seq):
    event = AuditEvent.objects.get(seq=seq)
    event.pk, event.seq = uuid.uuid4(), seqs[-1] + 1
    event.save(force_insert=True)
    return seqs[-1] + 1


def _slip_in_at_the_front(rng, seqs, seq):
    event = AuditEvent.objects.get(seq=seq)
    event.pk, event.seq = uuid.uuid4(), 0
    event.save(force_insert=True)
    return 0


def _rewrite_with_a_right_hash(rng, seqs, seq):
    event = AuditEvent.objects.get(seq=seq)
    event.actor = "tampered"
    event.hash = link_hash(event)
    event.save()
    # The event itself is whole again; what comes after it (or the head) no longer continues it.
    return seq + 1


def _cut_out_and_join(rng, seqs, seq):
    """Head and tail intact: the middle is taken out and the numbers after it closed up, hashes made anew for two rows."""
    if seq == seqs[-1]:
        return _delete(rng, seqs, seq)
    AuditEvent.objects.filter(seq=seq).delete()
    following = AuditEvent.objects.get(seq=seq + 1)
    following.seq = seq
    following.hash = link_hash(following)
    following.save()
    return seq


def _move_the_head(rng, seqs, seq):
    ChainHead.objects.update(hash=AuditEvent.objects.get(seq=seq).prev_hash)
    return seqs[-1] + 1


CAMPAIGN = (
    _update,
    _update_changes,
    _update_time,
    _delete,
    _cut_tail,
    _swap,
    _duplicate_past_the_end,
    _slip_in_at_the_front,
    _rewrite_with_a_right_hash,
    _cut_out_and_join,
    _move_the_head,
)


class Undo(Exception):
    """Takes one tampering back, so that the next starts from a whole chain."""


@pytest.mark.proof("A1")
@pytest.mark.django_db(transaction=True)
def test_every_tampering_is_found_and_its_first_number_named(append, proof):
    rng = random.Random(20261130)
    for number in range(30):
        append(f"tenant {number}", changes={"fields": ["name"]})
    seqs = list(range(1, 31))
    rounds = proof.size(reduced=10, full=91)
    found = 0

    with triggers_off():
        for _round in range(rounds):
            for tamper in CAMPAIGN:
                with suppress(Undo), transaction.atomic():
                    bad_seq = tamper(rng, seqs, rng.choice(seqs))
                    result = verify_chain()
                    assert not result.holds, tamper.__name__
                    assert result.bad_seq == bad_seq, tamper.__name__
                    found += 1
                    raise Undo

    proof.record(tamperings=rounds * len(CAMPAIGN), found=found)
    assert found == rounds * len(CAMPAIGN)
    assert verify_chain().holds


@pytest.mark.proof("A1")
@pytest.mark.django_db(transaction=True)
def test_a_chain_rewritten_with_its_head_is_found_by_a_checkpoint_kept_elsewhere(append):
    for number in range(5):
        append(f"tenant {number}")
    kept = verify_chain().head

    with triggers_off():
        last = "0" * 64
        for event in AuditEvent.objects.order_by("seq"):
            event.actor, event.prev_hash = "tampered", last
            event.hash = last = link_hash(event)
            event.save()
        ChainHead.objects.update(hash=last)

    assert verify_chain().holds
    result = verify_chain(checkpoint=kept)
    assert (result.bad_seq, result.fault) == (5, Fault.NOT_THE_CHECKPOINT)


@pytest.mark.proof("A1")
@pytest.mark.django_db
def test_a_checkpoint_past_the_end_shows_that_the_end_was_cut_off(append):
    append()

    result = verify_chain(checkpoint=Checkpoint(9, "0" * 64))

    assert result.fault is Fault.CUT_OFF


@pytest.mark.django_db
def test_the_command_says_that_the_chain_holds_and_prints_a_checkpoint(append, capsys):
    append()
    last = append()

    call_command("audit_verify", "--json")

    answer = json.loads(capsys.readouterr().out)
    assert answer["holds"] is True
    assert answer["checked"] == 2
    assert answer["head"] == f"2:{last.hash}"
    call_command("audit_verify", "--checkpoint", answer["head"])


@pytest.mark.proof("A1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_fails_and_names_the_first_bad_number(append, capsys, as_json):
    for _ in range(3):
        append()
    with triggers_off():
        AuditEvent.objects.filter(seq=2).update(actor="tampered")

    with pytest.raises(SystemExit) as stop:
        call_command("audit_verify", *(["--json"] if as_json else []))

    assert stop.value.code == 1
    out = capsys.readouterr().out
    if as_json:
        assert (json.loads(out)["bad_seq"], json.loads(out)["fault"]) == (2, "altered")
    else:
        assert "DOES NOT HOLD at event 2: the event was changed after it was written." in out


@pytest.mark.parametrize("text", ["7", "7:abc", f"0:{'0' * 64}", f"x:{'0' * 64}", f"7:{'G' * 64}"])
def test_a_malformed_checkpoint_is_refused_with_the_cure(text):
    with pytest.raises(CommandError, match="A checkpoint looks like"):
        call_command("audit_verify", "--checkpoint", text)
