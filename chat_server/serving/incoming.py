"""Takes in a file that was announced: counted, looked at and encrypted while it comes, so that none lies anywhere in clear."""

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from chat_server.file_rules import FileRefused, Sniffer
from chat_server.files import FileRow
from chat_server.sealed_files import SealingFile
from gateway.errors import Code

# Up to this size a file waits in memory, a larger one on the disk; encrypted, both.
IN_MEMORY: Final = 512 * 1024
_BATCH: Final = 256 * 1024


async def receive_file(pieces: AsyncIterator[bytes], row: FileRow) -> IO[bytes]:
    """The encrypted file, to be closed by the caller. Raises FileRefused for another length or type than was announced."""
    sealed = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 the caller closes it
    try:
        await _take_in(pieces, row, SealingFile(sealed, row.key))
        sealed.seek(0)
    except BaseException:
        sealed.close()
        raise
    return sealed


async def _take_in(pieces: AsyncIterator[bytes], row: FileRow, sealing: SealingFile) -> None:
    sniffer, length, batch = Sniffer(row.mime_type), 0, bytearray()
    async for piece in pieces:
        length += len(piece)
        if length > row.size:
            raise _refused(
                Code.BODY_TOO_LARGE, f"The file was announced with {row.size} bytes and has more.", "file_longer"
            )
        batch += piece
        if len(batch) >= _BATCH:
            await asyncio.to_thread(_digest, bytes(batch), sniffer, sealing)
            batch.clear()
    await asyncio.to_thread(_digest, bytes(batch), sniffer, sealing)
    if length != row.size:
        raise _refused(
            Code.BODY_INVALID, f"The file was announced with {row.size} bytes and has {length}.", "file_shorter"
        )
    if not sniffer.is_of_type():
        raise _refused(
            Code.CONTENT_TYPE_INVALID, f"The file was announced as {row.mime_type} and is something else.", "file_type"
        )
    await asyncio.to_thread(sealing.finish)


def _digest(data: bytes, sniffer: Sniffer, sealing: SealingFile) -> None:
    sniffer.look_at(data)
    sealing.write(data)


def _refused(code: Code, message: str, reason: str) -> FileRefused:
    return FileRefused(code, message, reason=reason)
