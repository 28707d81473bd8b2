"""config.asgi as a server runs it: which door a request comes to, and what no door serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform_server import Platform, running_platform

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform(transactional_db: None, tmp_path: Path) -> Iterator[Platform]:
    (tmp_path / "console.0123456789ab.css").write_text("body {}")
    (tmp_path / "plain.css").write_text("body {}")
    (tmp_path.parent / "secret.txt").write_text("not served")
    environment = {"STATIC_ROOT": str(tmp_path), "PREVIEW_ORIGIN": "http://preview.localhost:8001"}
    with running_platform(**environment) as platform:
        yield platform


def test_each_request_comes_to_its_door(platform: Platform) -> None:
    login = platform.request("GET", "/admin/login/")
    unknown = platform.request("GET", "/api/v1/tenants/tn_x/")
    preview = platform.request("GET", "/admin/login/", headers={"Host": "preview.localhost:8001"})
    stranger = platform.request("GET", "/livez/..", headers={"Host": "stranger.example"})

    assert login.status == 200
    assert len(login.headers["x-request-id"]) == 32
    assert "script-src 'self'" in login.headers["content-security-policy"]
    # The console is nowhere on the preview's host, whose pages load a third party's script.
    assert (preview.status, preview.code) == (404, "not_found")
    assert (unknown.status, unknown.code) == (404, "not_found")
    assert stranger.status == 400
    assert not any("server" in answer.headers for answer in (login, unknown, preview, stranger))


def test_static_files_are_served_and_nothing_beside_them(platform: Platform) -> None:
    hashed = platform.request("GET", "/static/console.0123456789ab.css")
    plain = platform.request("GET", "/static/plain.css")
    missing = platform.request("GET", "/static/missing.css")
    outside = [platform.request("GET", path) for path in ("/static/../secret.txt", "/static/%2e%2e/secret.txt")]

    assert (hashed.status, hashed.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (plain.status, plain.headers["cache-control"]) == (200, "no-cache")
    assert "access-control-allow-origin" not in hashed.headers
    assert hashed.headers["x-content-type-options"] == "nosniff"
    assert missing.status == 404
    assert all(answer.status in {400, 404} for answer in outside)


def test_a_process_is_alive_and_ready_and_ends_when_told(platform: Platform) -> None:
    assert platform.request("GET", "/livez").body == b"ok\n"
    assert platform.request("GET", "/readyz").json["ready"] is True

    platform.terminate()

    # uvicorn hands the signal on when everything is closed.
    assert platform.wait(seconds=10) in {0, -15}
    assert "Application shutdown complete" in platform.log
