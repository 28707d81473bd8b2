"""However a conversation goes, its files go with it; what a process left behind is swept up, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from chat_server import conversations
from chat_server.delete import delete_all, delete_threads
from chat_server.models import Attachment, Feedback, Thread, ThreadItem
from chat_server.sweep import sweep_files
from chat_server.tasks import sweep
from tests.chat_server.conversations.talk import Talker, stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_visitor_s_own_deletion_of_a_conversation_removes_its_files(ann: Talker, files_dir: Path) -> None:
    thread, kept = ann.says("hello"), ann.sends()
    ann.sends(thread_id=thread)

    conversations.delete_thread(ann.owner, thread)

    assert [path.name for path in stored(files_dir)] == [kept]


def test_an_assistant_takes_its_conversations_and_their_files_with_it(ann: Talker, files_dir: Path) -> None:
    ann.sends(thread_id=ann.says("hello"))
    ann.sends()

    ann.assistant.delete()

    assert not Thread.objects.exists()
    assert not Attachment.objects.exists()
    assert stored(files_dir) == []


def test_each_step_is_bounded_and_counts_what_it_deleted(ann: Talker) -> None:
    for _ in range(5):
        thread = ann.says("one", "two")
        ann.sends(thread_id=thread)
        conversations.note_feedback(
            ann.owner, thread, [ThreadItem.objects.filter(thread=thread)[0].item_id], "positive"
        )
    ann.sends()
    everything = Thread.objects.all(), Attachment.objects.all()

    steps = [dict(delete_all(*everything, most=3)) for _ in range(4)]

    assert steps == [
        {"threads": 3, "items": 6, "files": 3, "feedback": 3},
        {"threads": 2, "items": 4, "files": 2, "feedback": 2},
        {"files": 1},
        {},
    ]
    assert not Feedback.objects.exists()


def test_others_keep_theirs(ann: Talker, files_dir: Path) -> None:
    ben = ann.another()
    kept = ben.sends(thread_id=ben.says("hello"))
    ann.sends(thread_id=ann.says("hello"))

    delete_threads(Thread.objects.filter(visitor_ref=ann.owner.visitor_ref), most=10)

    assert Thread.objects.get().visitor_ref == ben.owner.visitor_ref
    assert [path.name for path in stored(files_dir)] == [kept]


def test_files_without_a_row_are_swept_up_when_they_are_old(ann: Talker, files_dir: Path) -> None:
    kept, orphan = ann.sends(), ann.sends()
    Attachment.objects.filter(pk=orphan)._raw_delete("default")
    suffixed = files_dir / "chat" / ann.tenant.pk.hex / f"{kept}_x1Y2z3"
    suffixed.write_bytes(b"of an upload that came second")
    young = sweep_files(seconds=5)
    for path in stored(files_dir):
        os.utime(path, (time.time() - 7200,) * 2)

    sweep()

    assert young == 0
    assert [path.name for path in stored(files_dir)] == [kept]


def test_without_a_folder_there_is_nothing_to_sweep(files_dir: Path) -> None:
    assert not files_dir.exists()
    assert sweep_files(seconds=5) == 0
