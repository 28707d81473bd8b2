"""A file of a conversation: announced, uploaded, taken into a message, read, deleted; each step for its own visitor alone."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from chat_server import files
from chat_server.conversations import NoSuchRow
from chat_server.file_rules import FileRefused
from chat_server.models import Attachment
from encryption.vault import SecretError
from sessions_api.models import RevokedVisitor
from tests.chat_server.conversations.talk import PNG, Talker, megabytes, stored
from tests.tenants.cast import give_assistant, register

pytestmark = pytest.mark.django_db


def test_what_was_uploaded_comes_back_and_lies_nowhere_in_clear(ann: Talker, files_dir: Path) -> None:
    data = megabytes(1.1)

    attachment = ann.sends(data, name="my secret name.png")

    assert ann.reads(attachment) == data
    [file] = stored(files_dir)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert PNG[:16] not in file.read_bytes()
    row = Attachment.objects.get()
    assert b"secret name" not in bytes(row.body)
    assert files.read(ann.owner, attachment).meta == b"my secret name.png"


def test_every_step_is_for_its_own_visitor_assistant_and_tenant(ann: Talker) -> None:
    announced, sent = ann.announces(), ann.sends()
    thread, elsewhere = ann.says("hello"), ann.another().says("hello")
    other_assistant = Talker.at(ann.tenant, give_assistant(ann.tenant, slug="other"), ref=ann.owner.visitor_ref)
    stranger = register("Birch")
    other_tenant = Talker.at(stranger, give_assistant(stranger), ref=ann.owner.visitor_ref)

    for other in (ann.another(), other_assistant, other_tenant):
        for attachment in (announced, sent):
            with pytest.raises(NoSuchRow):
                files.read(other.owner, attachment)
            with pytest.raises(NoSuchRow):
                files.delete(other.owner, attachment)
            with pytest.raises(NoSuchRow):
                files.take_into(other.owner, attachment, thread)
        with pytest.raises(NoSuchRow):
            other.uploads(announced)
    with pytest.raises(NoSuchRow):
        files.take_into(ann.owner, sent, elsewhere)
    assert ann.reads(sent) == PNG


@pytest.mark.parametrize(
    "wrong", ["", "atc_", "atc_" + "g" * 32, "atc_" + "0" * 31, "atc_" + "0" * 33, "../" * 10, "\x00"]
)
def test_what_is_no_id_is_not_found(ann: Talker, wrong: str) -> None:
    with pytest.raises(NoSuchRow):
        files.read(ann.owner, wrong)


def test_a_message_takes_only_what_is_stored_and_one_conversation_has_it_for_ever(ann: Talker) -> None:
    announced, sent, thread = ann.announces(), ann.sends(), ann.says("hello")

    with pytest.raises(NoSuchRow):
        files.take_into(ann.owner, announced, thread)
    files.take_into(ann.owner, sent, thread)
    files.take_into(ann.owner, sent, thread)

    with pytest.raises(NoSuchRow):
        files.take_into(ann.owner, sent, ann.says("another"))
    with pytest.raises(NoSuchRow):
        files.delete(ann.owner, sent)
    assert ann.reads(sent) == PNG


def test_of_two_uploads_the_first_counts_and_the_other_leaves_nothing(ann: Talker, files_dir: Path) -> None:
    attachment = ann.announces()
    ann.uploads(attachment)

    ann.uploads(attachment, b"another picture")

    assert ann.reads(attachment) == PNG
    assert len(stored(files_dir)) == 1


def test_an_upload_that_ends_after_its_file_was_deleted_leaves_nothing(
    ann: Talker, files_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    attachment = ann.announces()
    row = files.read(ann.owner, attachment)
    with django_capture_on_commit_callbacks(execute=True):
        files.delete(ann.owner, attachment)

    with pytest.raises(NoSuchRow):
        files.note_stored(ann.owner, row.id, files.put_into_storage(ann.owner, row.id, BytesIO(b"late")))

    assert stored(files_dir) == []


def test_a_deleted_file_is_gone_from_storage_after_the_commit_and_not_before(
    ann: Talker, files_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    attachment = ann.sends()

    with django_capture_on_commit_callbacks() as after:
        files.delete(ann.owner, attachment)
    before = stored(files_dir)
    for callback in after:
        callback()

    assert (len(before), stored(files_dir)) == (1, [])
    with pytest.raises(NoSuchRow):
        ann.reads(attachment)


def test_only_so_many_files_wait_for_a_message_of_each_visitor(ann: Talker) -> None:
    for _ in range(3):
        ann.announces(most_unused=3)
    with pytest.raises(FileRefused, match="rate_limited") as refused:
        ann.announces(most_unused=3)
    ann.another().announces(most_unused=3)
    files.delete(ann.owner, Attachment.objects.filter(visitor_ref=ann.owner.visitor_ref)[0].pk)
    ann.announces(most_unused=3)

    assert (refused.value.status, refused.value.retry_after) == (429, 60)


def test_the_room_of_a_tenant_is_bounded_and_another_tenant_has_its_own(ann: Talker, settings: Any) -> None:
    settings.CHAT_FILES_MB_TENANT = 2
    ann.announces(size=2 * 1024 * 1024 - 10)
    stranger = register("Birch")
    other = Talker.at(stranger, give_assistant(stranger))

    with pytest.raises(FileRefused, match="quota_exceeded"):
        ann.another().announces(size=11)
    ann.another().announces(size=10)
    other.announces(size=2 * 1024 * 1024)
    settings.CHAT_FILES_MB_TENANT = 0
    ann.announces(size=11)


def test_a_visitor_who_was_revoked_announces_nothing_and_opens_nothing_by_an_older_link(ann: Talker) -> None:
    attachment = ann.sends()
    RevokedVisitor.objects.create(
        ref=ann.owner.visitor_ref, tenant=ann.tenant, revoked_at=timezone.now() + timezone.timedelta(seconds=5)
    )

    with pytest.raises(NoSuchRow):
        ann.announces()
    with pytest.raises(NoSuchRow):
        files.require_unrevoked(ann.owner, attachment)


def test_a_file_that_storage_lost_is_not_found_and_one_that_was_changed_does_not_open(
    ann: Talker, files_dir: Path
) -> None:
    attachment = ann.sends()
    [file] = stored(files_dir)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    with pytest.raises(SecretError):
        ann.reads(attachment)
    file.unlink()

    with pytest.raises(NoSuchRow):
        ann.reads(attachment)
