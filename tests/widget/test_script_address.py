"""The script over raw HTTP: for every page on earth, cached as its address promises, never behind a cookie."""

import base64
import gzip
import hashlib

import pytest

from widget.embed import embed_scripts

pytestmark = pytest.mark.django_db(transaction=True)

MOVING = "/widget/v1/embed.js"


@pytest.fixture
def pinned():
    return f"/widget/{embed_scripts().current.version}/embed.js"


def test_both_addresses_give_the_same_bytes_to_everybody(platform, pinned):
    moving, release = platform.request("GET", MOVING), platform.request("GET", pinned)

    assert moving.body == release.body == embed_scripts().current.body
    for answer in (moving, release):
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers


def test_the_chat_part_is_served_like_a_release_whatever_its_query(platform):
    version = embed_scripts().current.version

    answer = platform.request("GET", f"/widget/{version}/chat.js?0a1b2c3d")

    assert (answer.status, answer.body) == (200, embed_scripts().chats[version].body)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_moving_address_is_asked_again_soon_and_a_release_never(platform, pinned):
    assert "max-age=300" in platform.request("GET", MOVING).headers["cache-control"]
    assert platform.request("GET", pinned).headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_hash_of_the_snippet_is_the_hash_of_what_arrives(platform, pinned):
    digest = hashlib.sha384(platform.request("GET", pinned).body).digest()

    assert embed_scripts().current.sri == f"sha384-{base64.b64encode(digest).decode()}"


def test_browsers_that_can_get_it_zipped_and_caches_keep_the_two_apart(platform):
    zipped = platform.request("GET", MOVING, headers={"Accept-Encoding": "br, gzip"})
    plain = platform.request("GET", MOVING)

    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert zipped.headers["etag"] != plain.headers["etag"]


def test_whoever_has_it_already_is_told_so(platform):
    etag = platform.request("GET", MOVING).headers["etag"]

    answer = platform.request("GET", MOVING, headers={"If-None-Match": f'"other", W/{etag}'})

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == etag


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", MOVING, 200),
        ("POST", MOVING, 405),
        ("GET", "/widget/0.0.1/embed.js", 404),
        ("GET", "/widget/0.0.1/chat.js", 404),
        ("GET", "/widget/v1/chat.js", 404),
        ("GET", "/widget/..%2f..%2fsecret/embed.js", 404),
        ("GET", "/widget/", 404),
    ],
)
def test_other_methods_and_addresses(platform, method, path, status):
    assert platform.request(method, path).status == status
