"""The stock door takes no large body from anybody: Django would write it to a file before asking who they are."""

import pytest

from tests.platform_server import running_platform

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 2 * 1_048_576
HEAD = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


@pytest.fixture
def platform(transactional_db):
    with running_platform() as platform:
        yield platform


def test_a_declared_length_over_the_limit_is_refused_unread(platform):
    answer = platform.send_raw(HEAD + b"Content-Length: %d\r\n\r\n" % (MOST + 1))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Send less" in answer


def test_a_chunked_body_is_refused_when_it_passes_the_limit(platform):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    answer = platform.send_raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (MOST // 65536) + b"1\r\nx\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "Traceback" not in platform.log


def test_a_body_at_the_limit_comes_to_django(platform):
    answer = platform.request("POST", "/admin/login/", body=b"x" * MOST, headers={"Content-Type": "text/plain"})

    assert answer.status == 403
    assert b"Not allowed" in answer.body
