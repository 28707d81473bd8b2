"""O9: real Chromium on thirteen sites: what it writes as Origin, what the page gets, what the ledger says."""

import contextlib
import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.domains import allow_domain, today
from tests.platform_server import Platform, session_path
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = b"<!doctype html><title>A website</title><p>Hello"
LISTED = ["https://shop.test", "https://shop.test:9443", "https://*.team.test", "https://b\u00fccher.test"]
# What the page's script gets: a session, or the browser's refusal to let it read anything.
ASK = """async ([url, id]) => {
    try {
        const answer = await fetch(url, {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"});
        return answer.ok && (await answer.json()).client_secret ? "granted" : `status ${answer.status}`;
    } catch (error) { return error.name; }
}"""


@dataclass(frozen=True)
class Site:
    """`frame` is what the page at `address` is to hold, as HTML; the call is then made by the innermost frame."""

    what: str
    address: str
    origin: str
    outcome: str
    frame: str = ""


SITES = [
    Site("listed", "https://shop.test/", "https://shop.test", "granted"),
    Site("another port", "https://shop.test:8443/", "https://shop.test:8443", "origin_not_allowed"),
    Site("a port that is listed", "https://shop.test:9443/", "https://shop.test:9443", "granted"),
    Site("plain http", "http://shop.test/", "http://shop.test", "origin_not_allowed"),
    Site("below a listed name", "https://a.b.team.test/", "https://a.b.team.test", "granted"),
    Site("the listed name itself", "https://team.test/", "https://team.test", "origin_not_allowed"),
    Site("a name in punycode", "https://b\u00fccher.test/", "https://xn--bcher-kva.test", "granted"),
    Site("a preview", "https://app-42.preview.test/", "https://app-42.preview.test", "granted"),
    Site("a file", "file:///PAGE", "null", "origin_null"),
    Site("a sandboxed frame", "https://shop.test/", "null", "origin_null", '<iframe sandbox="allow-scripts" src="/">'),
    Site("a data: frame", "https://shop.test/", "null", "origin_null", '<iframe src="data:text/html,<p>Hello">'),
    Site(
        "a stranger in a listed page",
        "https://shop.test/",
        "https://stranger.test",
        "origin_not_allowed",
        '<iframe src="https://stranger.test/">',
    ),
    Site(
        "a listed page in a stranger's",
        "https://stranger.test/",
        "https://shop.test",
        "granted",
        '<iframe src="https://shop.test/">',
    ),
]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        """Silent: the browser's own console says what went wrong."""


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None) -> Iterator[int]:
    """Every website there is, on one port; names lead to it in the browser alone."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def websites() -> Iterator[tuple[int, int]]:
    """Ports: by https, by http."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("shop.test", "*.test", "*.team.test", "*.b.team.test", "*.preview.test").configure_cert(tls)
    with serving(tls) as https, serving(None) as http_port:
        yield https, http_port


@pytest.mark.proof("O9")
def test_every_site_gets_its_verdict(
    chromium: str,
    websites: tuple[int, int],
    platform: Platform,
    shop: Shop,
    sandbox: Sandbox,
    tmp_path: Path,
    proof: Proof,
) -> None:
    for entry in LISTED:
        allow_domain(tenant=shop.tenant, text=entry, actor=SYSTEM)
    allow_domain(tenant=shop.tenant, text="app-*.preview.test", actor=SYSTEM, expires_on=today() + timedelta(days=1))
    platform.wait_for_configuration()
    (tmp_path / "page.html").write_bytes(PAGE)

    told = _ask_from_every_site(chromium, websites, platform, shop, tmp_path / "page.html")

    table = [
        (site.what, site.origin, site.outcome, "granted" if site.outcome == "granted" else "TypeError")
        for site in SITES
    ]
    rows = SessionRequest.objects.order_by("at").values_list("origin", "outcome")
    assert [(site.what, *row, answer) for site, row, answer in zip(SITES, rows, told, strict=True)] == table
    assert len(sandbox.creates()) == sum(site.outcome == "granted" for site in SITES)
    proof.record(sites=len(SITES), right=len(SITES))


def _ask_from_every_site(
    chromium: str, websites: tuple[int, int], platform: Platform, shop: Shop, file: Path
) -> list[str]:
    """No query may run inside: Playwright's loop makes Django open a second connection there, which nobody would close."""
    from playwright.sync_api import sync_playwright

    https, http_port = websites
    rules = [f"MAP *.test:{port} 127.0.0.1:{https}" for port in (443, 8443, 9443)]
    rules.append(f"MAP *.test:80 127.0.0.1:{http_port}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[f"--host-resolver-rules={', '.join(rules)}"]
        )
        told = []
        for site in SITES:
            page = browser.new_context(ignore_https_errors=True).new_page()
            page.goto(site.address.replace("/PAGE", str(file)))
            caller = page.main_frame
            if site.frame:
                page.set_content(site.frame)
                element = page.wait_for_selector("iframe")
                caller = element.content_frame()
                caller.wait_for_selector("p")
            told.append(caller.evaluate(ASK, [f"{platform.url}{session_path(shop.public_id)}", shop.public_id]))
            page.context.close()
        browser.close()
    return told
