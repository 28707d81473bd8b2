"""Files as they lie in storage: whole or not at all, under their own key, and nothing of them in clear."""

import uuid
from io import BytesIO

import pytest

from chat_server.sealed_files import PIECE, SealingFile, open_pieces
from encryption.content import ContentKey
from encryption.vault import Binding, SecretError

PLACE = Binding(uuid.UUID(int=1), "chat-attachment", uuid.UUID(int=2))
KEY = ContentKey(b"k" * 32, PLACE)


def seal(data: bytes, *, at_once: int = 70_000) -> bytes:
    out = BytesIO()
    sealing = SealingFile(out, KEY)
    for begin in range(0, len(data), at_once):
        sealing.write(data[begin : begin + at_once])
    sealing.finish()
    return out.getvalue()


def opened(sealed: bytes, key: ContentKey = KEY) -> bytes:
    return b"".join(open_pieces(BytesIO(sealed), key))


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7])
def test_what_was_sealed_comes_back_in_pieces(length: int) -> None:
    data = bytes(number % 251 for number in range(length))

    sealed = seal(data)

    assert opened(sealed) == data
    assert all(len(piece) <= PIECE for piece in open_pieces(BytesIO(sealed), KEY))


def test_nothing_of_it_is_in_clear() -> None:
    assert b"a secret word" not in seal(b"a secret word" * 50_000)


def test_no_piece_can_be_left_out_swapped_cut_off_or_changed() -> None:
    sealed = seal(b"0" * PIECE + b"1" * PIECE + b"2" * 10)
    box = 4 + PIECE + 28
    head, first, second, last = sealed[:6], sealed[6 : 6 + box], sealed[6 + box : 6 + 2 * box], sealed[6 + 2 * box :]
    assert opened(head + first + second + last)

    changed = bytearray(sealed)
    changed[-1] ^= 1
    for wrong in (
        head,
        b"",
        head + first,
        head + first + second,
        head + first + last,
        head + second + first + last,
        head + last,
        head + first + second + last + last,
        sealed[:-1],
        sealed + b"\x00",
        bytes(changed),
        b"CKPF2\n" + sealed[6:],
        head + b"\xff\xff\xff\xff" + sealed[10:],
    ):
        with pytest.raises(SecretError):
            opened(wrong)


def test_another_key_and_another_place_do_not_open_it() -> None:
    sealed = seal(b"something")
    elsewhere = Binding(PLACE.owner, PLACE.purpose, uuid.UUID(int=3))

    for key in (ContentKey(b"j" * 32, PLACE), ContentKey(b"k" * 32, elsewhere)):
        with pytest.raises(SecretError):
            opened(sealed, key)
