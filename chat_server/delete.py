"""Deletes conversations and files, a bounded number at once, and says how much that was. Never what was in them.

The files themselves go after the commit (receivers.py, for every way in which a row is deleted); what a dying process leaves
behind is swept up later (sweep.py). Deleting a row destroys its key: what a back-up of the storage still has can't be opened.
"""

from collections import Counter

from django.db import transaction
from django.db.models import QuerySet

from chat_server.models import Attachment, Feedback, Thread, ThreadItem

Deleted = Counter[str]


@transaction.atomic
def delete_threads(threads: QuerySet[Thread], *, most: int, passing_over: bool = False) -> Deleted:
    """The next of these with all that belongs to them; empty when there is none.

    `passing_over` leaves out those at which somebody else works just now; else they are waited for.
    """
    locked = threads.order_by("pk").select_for_update(skip_locked=passing_over, of=("self",))
    ids = list(locked.values_list("pk", flat=True)[:most])
    return _counted(Thread.objects.filter(pk__in=ids)) if ids else Counter()


@transaction.atomic
def delete_attachments(attachments: QuerySet[Attachment], *, most: int, passing_over: bool = False) -> Deleted:
    """The next of these; empty when there is none."""
    locked = attachments.order_by("pk").select_for_update(skip_locked=passing_over, of=("self",))
    ids = list(locked.values_list("pk", flat=True)[:most])
    return _counted(Attachment.objects.filter(pk__in=ids)) if ids else Counter()


def delete_all(threads: QuerySet[Thread], attachments: QuerySet[Attachment], *, most: int) -> Deleted:
    """One step: conversations first, then files that belong to none."""
    return delete_threads(threads, most=most) or delete_attachments(attachments, most=most)


_NAMES = {Thread: "threads", ThreadItem: "items", Attachment: "files", Feedback: "feedback"}


def _counted(rows: "QuerySet[Thread] | QuerySet[Attachment]") -> Deleted:
    _, by_model = rows.delete()
    counted = {name: by_model.get(model._meta.label, 0) for model, name in _NAMES.items()}
    return +Counter(counted)
