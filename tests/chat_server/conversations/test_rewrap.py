"""Master keys are rotated under conversations and files: what is sealed anew opens, and what lost its key opens nowhere."""

from typing import Any

import pytest

from chat_server import conversations, files
from chat_server.models import Attachment, Thread
from encryption.registry import sealed_columns
from encryption.vault import SecretError, rewrap, token_prefix
from tests.chat_server.conversations.talk import PNG, Talker
from tests.encryption.keys import ring

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_masters(settings: Any) -> None:
    settings.MASTER_KEYS = ring("old")


def rewrap_all() -> int:
    """As a rotation does: each column that apps have announced, row by row."""
    done = 0
    for column in sealed_columns():
        for row in column.model._default_manager.exclude(**{column.field: ""}):
            token = getattr(row, column.field)
            new = rewrap(token, column.binding_of(row))
            done += new != token
            column.model._default_manager.filter(pk=row.pk).update(**{column.field: new})
    return done


def test_content_opens_after_its_keys_were_wrapped_anew(settings: Any, two_masters: None, ann: Talker) -> None:
    thread, file = ann.says("a word", title="a title"), ann.sends(name="me.png")
    settings.MASTER_KEYS = ring("new", "old")

    rewrap_all()
    settings.MASTER_KEYS = ring("new")
    fresh = Talker(conversations.Owner(*_of(ann)), ann.tenant, ann.assistant)

    assert Thread.objects.get().key_token.startswith(token_prefix("new"))
    assert Attachment.objects.get().key_token.startswith(token_prefix("new"))
    assert conversations.read_thread(fresh.owner, thread) == b"a title"
    [body] = conversations.read_items(fresh.owner, thread, after=None, limit=10, order="asc").bodies
    assert body == b"a word"
    assert fresh.reads(file) == PNG
    assert files.read(fresh.owner, file).meta == b"me.png"


def test_without_its_key_nothing_of_a_conversation_or_file_opens(ann: Talker) -> None:
    thread, file, other = ann.says("a word"), ann.sends(), ann.says("another")
    foreign = Thread.objects.get(pk=other).key_token
    for token in ("", "ckp1.x.y.z", foreign):
        Thread.objects.filter(pk=thread).update(key_token=token)
        Attachment.objects.filter(pk=file).update(key_token=token)
        fresh = conversations.Owner(*_of(ann))

        with pytest.raises(SecretError):
            conversations.read_items(fresh, thread, after=None, limit=10, order="asc")
        with pytest.raises(SecretError):
            files.read(fresh, file)


def test_both_columns_are_announced_to_rotation() -> None:
    assert {"chat_server.Thread.key_token", "chat_server.Attachment.key_token"} <= set(map(str, sealed_columns()))


def _of(talker: Talker) -> tuple[Any, Any, str, int]:
    owner = talker.owner
    return owner.tenant_id, owner.assistant_id, owner.visitor_ref, owner.issued_at
