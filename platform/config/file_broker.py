"""The filesystem broker with whole messages: kombu's own writes a file under its final name before it has its content.

A worker that looks at that moment takes the empty file away, fails to read it and ends. Here a message is written under a
name that no worker looks for, then renamed, which is one step.
"""

import os
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class WholeMessages(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu calls it
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"unfinished.{name}"
        try:
            unfinished.write_bytes(dumps(payload).encode())
            os.replace(unfinished, folder / name)
        except OSError as error:
            raise ChannelError(f"The message could not be written to {folder}.") from error


class Transport(filesystem.Transport):
    Channel = WholeMessages
