"""K7: an upstream that repeats the key wherever it can finds no way into our errors, logs and values."""

import asyncio
import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest

from chatkit_client.echoes import repeats_key
from chatkit_client.errors import ChatKitError
from tests.chatkit_client.cast import client_of, credentials, make_key, mint
from tests.chatkit_client.upstream import GOOD, reset, says, says_and_ends, whole


def forms(key: str) -> set[str]:
    """Every form in which the canary is searched, and each 12 characters of it."""
    raw = key.encode()
    whole_forms = {key, key[::-1], raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    whole_forms |= {quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1]}
    return whole_forms | {form[start : start + 12] for form in (key, key[::-1]) for start in range(len(key) - 11)}


def texts_of(error: BaseException) -> str:
    """All that a log, a debugger or an error reporter could print: the chain, the attributes, every local variable."""
    parts = []
    link: BaseException | None = error
    while link is not None:
        parts += [str(link), repr(link), repr(link.args), repr(vars(link))]
        parts += traceback.format_exception(link)
        # The first frames are the test's own and hold the key.
        frames = link.__traceback__
        while frames is not None and "/tests/" in frames.tb_frame.f_code.co_filename:
            frames = frames.tb_next
        parts += traceback.TracebackException(type(link), link, frames, capture_locals=True).format()
        link = link.__cause__ or link.__context__
    return "\n".join(parts)


def assert_silent(text: str, key: str) -> None:
    assert not [form for form in forms(key) if form in text]


def echo(where: str, key: str) -> bytes:
    """An answer of the upstream that repeats the key."""
    message = f"Incorrect API key provided: {key}"
    envelope = {"error": {"message": message, "type": key, "param": key, "code": key}}
    if where.startswith("body "):
        return whole(envelope, f"{where[5:]} {key}")
    return {
        "header": whole(envelope, "500 Oops", x_request_id=key, cf_ray=key, retry_after=key, x_echo=key),
        "hex id": whole(GOOD, "500 Oops", x_request_id=key.encode().hex()[:60]),
        "reversed id": whole(GOOD, "500 Oops", x_request_id=key[::-1][:40]),
        "slice as id": whole(GOOD, "500 Oops", x_request_id="req_" + key[10:24]),
        "slice as code": whole({"error": {"message": "", "code": key.encode().hex()[:40]}}, "400 Bad Request"),
        "redirect": whole(b"", "302 Found", location=f"https://evil.example/?k={key}"),
        "malformed json": whole(b'{"client_secret": "' + key.encode()),
        "html": whole(f"<html>{key}</html>".encode(), "502 Bad Gateway", content_type=f"text/html; k={key}"),
        "good but blank": whole(GOOD | {"client_secret": f"{key} {key}"}),
        "key as secret": whole(GOOD | {"client_secret": key}),
        "key in secret": whole(GOOD | {"client_secret": f"ek_{key}x" + "y" * 200}),
        "hex as secret": whole(GOOD | {"client_secret": "ek_" + key.encode().hex()}),
        "key in id": whole(GOOD | {"id": "cksess_" + key}),
        "other types": whole(GOOD | {"id": key, "expires_at": key, "status": key}),
        "other user": whole(GOOD | {"user": key}),
        "bad header line": f"HTTP/1.1 200 OK\r\n{key}\x00: x\r\n\r\n".encode(),
        "bad status line": f"HTTP/1.1 {key}\r\n\r\n".encode(),
        "truncated": whole(GOOD | {"client_secret": key})[:-5],
        "encoding": whole(GOOD, content_encoding=key),
    }[where]


PLACES = [
    *[f"body {status}" for status in (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 451, 499, 500, 503, 529, 599)],
    "header", "hex id", "reversed id", "slice as id", "slice as code", "redirect", "malformed json", "html",
    "good but blank", "key as secret", "key in secret", "hex as secret", "key in id", "other types", "other user",
    "bad header line", "bad status line", "truncated", "encoding",
]  # fmt: skip


@pytest.mark.proof("K7")
@pytest.mark.asyncio
@pytest.mark.parametrize("where", PLACES)
async def test_a_key_that_the_upstream_repeats_goes_no_further(where, caplog):
    key = make_key()
    caplog.set_level(logging.DEBUG)

    async with client_of(says_and_ends(echo(where, key))) as (client, server):
        with pytest.raises(ChatKitError) as caught:
            await mint(client, server, key)

    assert caught.value.__cause__ is None
    assert_silent(texts_of(caught.value), key)
    assert_silent(caplog.text, key)


async def hangs(_seen, _writer):
    await asyncio.sleep(30)


async def breaks(_seen, writer):
    reset(writer)


@pytest.mark.proof("K7")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "play", [hangs, breaks, says(b"no http\r\n\r\n"), says(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n")]
)
async def test_a_failed_connection_does_not_carry_the_request_that_it_failed_for(play, caplog):
    """aiohttp's own exceptions hold the request's headers."""
    key = make_key()
    caplog.set_level(logging.DEBUG)

    async with client_of(play, deadline=0.3) as (client, server):
        with pytest.raises(ChatKitError) as caught:
            await mint(client, server, key)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert_silent(texts_of(caught.value), key)
    assert_silent(caplog.text, key)


@pytest.mark.proof("K7")
@pytest.mark.asyncio
async def test_no_value_prints_the_key_or_the_secret(caplog):
    key, secret = make_key(), make_key()
    caplog.set_level(logging.DEBUG)

    async with client_of(says(whole(GOOD | {"client_secret": secret}))) as (client, server):
        created = await mint(client, server, key)

    assert created.session.client_secret == secret
    for canary in (key, secret):
        assert_silent(f"{created!r} {created} {credentials(key)!r} {client!r} {vars(client)}", canary)
        assert_silent(caplog.text, canary)


@pytest.mark.proof("K7")
@pytest.mark.parametrize("form", ["plain", "reversed", "hex", "base64", "urlsafe"])
def test_a_repeated_key_is_known_in_every_form(form):
    key = make_key()
    raw = key.encode()
    text = {
        "plain": key,
        "reversed": key[::-1],
        "hex": raw.hex(),
        "base64": base64.b64encode(raw).decode(),
        "urlsafe": base64.urlsafe_b64encode(raw).decode(),
    }[form]

    assert repeats_key(text, key)
    assert repeats_key("req_" + text[5:28], key)
    assert repeats_key("x" * 100 + text + "y" * 100, key)


@pytest.mark.proof("K7")
def test_twelve_characters_of_a_key_in_an_identifier_are_enough():
    key = make_key()

    for start in range(len(key) - 11):
        assert repeats_key("req_" + key[start : start + 12], key)
        assert repeats_key(key[::-1][start : start + 12] + "-AMS", key)


def test_an_ordinary_request_id_is_not_taken_for_the_key():
    key = make_key()

    assert not repeats_key("req_4f1c9be62a7d4d0c8b5e3a9f7d6c1b20", key)
    assert not repeats_key("8f1e2d3c4b5a6978-FRA", key)
    assert not repeats_key(f"{key[:8]}****{key[-4:]}", key)
    assert not repeats_key("", key)
