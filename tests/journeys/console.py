"""A signed-in admin without a browser: for crawling pages and sending forms."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from tests.journeys.demo import Demo


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "href" and tag == "a" and value]


class Console:
    """One admin's session over plain HTTP."""

    def __init__(self, demo: Demo) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.base = demo.platform
        admin = demo.facts["admin"]
        page = self.post("/admin/login/", {"username": admin["username"], "password": admin["password"]})
        assert "Log in" not in page.text, "the demo's admin could not log in"

    def get(self, path: str) -> requests.Response:
        return self.http.get(urljoin(self.base, path), timeout=30)

    def post(self, path: str, data: dict[str, str]) -> requests.Response:
        """Sends a form from its own page, so that CSRF's cookie and token are there."""
        address = urljoin(self.base, path)
        page = self.http.get(address, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, f"no form at {path}"
        return self.http.post(
            address,
            {**data, "csrfmiddlewaretoken": token[1]},
            headers={"Origin": self.base, "Referer": address},
            timeout=30,
        )

    def crawl(self, *, most: int = 300) -> Iterator[tuple[str, requests.Response]]:
        """Every page of the console that links lead to, and the operations API's."""
        waiting, seen = ["/admin/", "/api/v1/ops/docs/", "/api/v1/ops/schema/"], set[str]()
        while waiting and len(seen) < most:
            path = waiting.pop(0)
            if path in seen or "logout" in path:
                continue
            seen.add(path)
            response = self.get(path)
            yield path, response
            if "html" not in response.headers.get("Content-Type", ""):
                continue
            links = _Links()
            links.feed(response.text)
            for link in links.found:
                parts = urlsplit(urljoin(response.url, link))
                if f"{parts.scheme}://{parts.netloc}" == self.base and parts.path.startswith("/admin/"):
                    waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
