"""Removes files that belong to no row: what a process left that died between storing a file and noting it, or deleting both.

Their keys were in the rows, so nobody can open them any more; they only take room.
"""

import logging
import time
from datetime import timedelta
from typing import Final

from django.core.files.storage import Storage, default_storage
from django.utils import timezone

from chat_server.models import Attachment
from chat_server.receivers import remove_file
from chat_server.sealing import ATTACHMENT, new_id

logger = logging.getLogger(__name__)

ROOT: Final = "chat"
# One that is younger may be about to get its row.
LEAST_AGE: Final = timedelta(hours=1)
_BATCH: Final = 500
_ID_LENGTH: Final = len(new_id(ATTACHMENT))


def sweep_files(*, seconds: float, storage: Storage = default_storage) -> int:
    """Removes what nobody's row names, beginning no batch after `seconds`; gives the number of files."""
    ends = time.monotonic() + seconds
    swept = 0
    for folder in _listed(storage, ROOT)[0]:
        path = f"{ROOT}/{folder}"
        _, names = _listed(storage, path)
        for begin in range(0, len(names), _BATCH):
            batch = [f"{path}/{name}" for name in names[begin : begin + _BATCH]]
            if time.monotonic() >= ends:
                return swept
            known = set(Attachment.objects.filter(pk__in=map(_id_of, batch)).values_list("file", flat=True))
            swept += sum(_sweep(storage, name) for name in batch if name not in known)
    if swept:
        logger.info("files without a conversation were removed: %s", swept)
    return swept


def _id_of(name: str) -> str:
    """Of the row that may have the file: its name, but for what storage adds where the name was taken."""
    return name.rpartition("/")[2][:_ID_LENGTH]


def _sweep(storage: Storage, name: str) -> bool:
    try:
        is_old = timezone.now() - storage.get_modified_time(name) > LEAST_AGE
    except FileNotFoundError:
        return False
    if is_old:
        remove_file(storage, name)
    return is_old


def _listed(storage: Storage, path: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(path)
    except FileNotFoundError:
        return [], []
