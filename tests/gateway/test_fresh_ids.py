"""Ids without a system call for each: random, and never the same twice, in whatever thread or process."""

import os
import threading
import uuid

from gateway.fresh_ids import fresh_hex, fresh_uuid


def test_an_id_has_128_random_bits() -> None:
    ids = [fresh_hex() for _ in range(1000)]

    assert all(len(text) == 32 and int(text, 16) >= 0 for text in ids)
    assert len({text[:8] for text in ids}) > 990


def test_a_uuid_is_a_random_one() -> None:
    made = fresh_uuid()

    assert made.version == 4
    assert made.variant == uuid.RFC_4122


def test_threads_that_draw_at_once_never_draw_the_same() -> None:
    drawn: list[list[str]] = [[] for _ in range(8)]

    def draw(into: list[str]) -> None:
        into += [fresh_hex() for _ in range(3000)]

    threads = [threading.Thread(target=draw, args=(into,)) for into in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everything = [text for into in drawn for text in into]
    assert len(set(everything)) == len(everything) == 24_000


def test_a_forked_process_does_not_repeat_its_parent() -> None:
    fresh_hex()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, " ".join(fresh_hex() for _ in range(100)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        theirs = set(pipe.read().split())

    assert len(theirs) == 100
    assert theirs & {fresh_hex() for _ in range(400)} == set()
