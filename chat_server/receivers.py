"""Listens for what takes conversations and files with it, inside its transaction."""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from chat_server.delete import delete_all
from chat_server.models import Attachment, Thread
from sessions_api.signals import tenant_deleting, visitor_erasing

logger = logging.getLogger(__name__)


@receiver(visitor_erasing, dispatch_uid="chat_server.visitor_erasing")
def on_visitor_erasing(*, tenant_id: UUID, visitor_ref: str, most: int, **_: Any) -> dict[str, int]:
    whose = {"tenant_id": tenant_id, "visitor_ref": visitor_ref}
    return delete_all(Thread.objects.filter(**whose), Attachment.objects.filter(**whose), most=most)


@receiver(tenant_deleting, dispatch_uid="chat_server.tenant_deleting")
def on_tenant_deleting(*, tenant_id: UUID, most: int, **_: Any) -> dict[str, int]:
    whose = {"tenant_id": tenant_id}
    return delete_all(Thread.objects.filter(**whose), Attachment.objects.filter(**whose), most=most)


@receiver(post_delete, sender=Attachment, dispatch_uid="chat_server.attachment_deleted")
def on_attachment_deleted(*, instance: Attachment, **_: Any) -> None:
    """However the row went, by itself or with its conversation, assistant or tenant."""
    if name := instance.file.name:
        transaction.on_commit(partial(remove_file, instance.file.storage, name))


def remove_file(storage: Storage, name: str) -> None:
    """What can't be removed now is swept up later: it belongs to no row any more, and its key is gone."""
    try:
        storage.delete(name)
    except OSError as error:
        logger.warning("a file of a conversation is not removed yet: %s", type(error).__name__)
