"""IP addresses are kept truncated, full ones never: no table, log or file holds one, whatever was asked and refused."""

import http.client
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection

from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for
from tests.sessions_api.endpoint.test_end_session import come, sign_out

V4, V6 = "198.51.100.217", "2001:db8:aaaa:bbbb:1234:5678:9abc:def1"
# Every form in which such an address is written somewhere.
WRITTEN = [V4, V6, V6.upper(), "2001:db8:aaaa:bbbb:1234", "::ffff:198.51.100.217", "c63364d9"]


def everything_in_the_database() -> str:
    """Each row of each table as text, as a dump would hold it."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        text = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            text += [repr(row) for row in cursor.fetchall()]
    return "\n".join(text)


def try_to_log_in(platform: Platform, address: str) -> None:
    """A person who mistypes the password in the console."""
    client = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=20)
    forwarded = {"X-Forwarded-For": address}
    client.request("GET", "/admin/login/", headers=forwarded)
    page = client.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").split(";")[0]
    token = page.read().decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = urlencode({"csrfmiddlewaretoken": token, "username": "ada", "password": "wrong"})
    headers = {**forwarded, "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    client.request("POST", "/admin/login/", body=form, headers={**headers, "Referer": f"{platform.url}/admin/login/"})
    assert client.getresponse().status in {200, 403, 429}
    client.close()


@pytest.mark.parametrize("address", [V4, V6], ids=["IPv4", "IPv6"])
def test_no_full_address_is_kept_or_logged(
    same_site: None, shop: Shop, sandbox: Sandbox, tmp_path: Path, address: str
) -> None:
    forwarded = {"X-Forwarded-For": address}
    debugging = {"LOG_LEVEL": "DEBUG", "VAR_DIR": str(tmp_path), "SESSIONS_PER_MINUTE_ADDRESS": "10"}
    with running_platform(**{**environment_for(sandbox), **debugging}) as platform:
        token = come(platform, shop, headers=forwarded)
        shop.ask(platform, origin="https://evil.example", headers=forwarded)
        shop.ask(platform, body=b"[", headers=forwarded)
        sign_out(platform, shop.public_id, token, headers=forwarded)
        sign_out(platform, shop.public_id, "no token", headers=forwarded)
        platform.request("GET", f"/api/v1/tenants/{shop.public_id}/widget/", headers=forwarded)
        platform.request("GET", "/nowhere", headers=forwarded)
        while shop.ask(platform, headers=forwarded).status != 429:
            pass
        sandbox.set_host("down")
        shop.ask(platform, headers=forwarded)
        for _ in range(6):
            try_to_log_in(platform, address)
        platform.terminate()
        platform.wait()
        log = platform.log
    files = "".join(path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file())

    kept = everything_in_the_database()

    assert {row.address for row in SessionRequest.objects.all()} == {
        {V4: "198.51.100.0/24", V6: "2001:db8:aaaa::/48"}[address]
    }
    assert "Refused" in log
    for form in WRITTEN:
        assert form not in kept
        assert form not in log
        assert form not in files
