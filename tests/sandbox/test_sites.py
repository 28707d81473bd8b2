"""The demo's websites."""

import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.background import running
from sandbox.sites.app import start_sites, stop_sites
from sandbox.sites.config import read_site, read_sites
from sandbox.sites.csp import policy_of
from tests.sandbox.raw import send

ROOT = Path(__file__).parents[2]
SNIPPET = '<script async src="http://127.0.0.1:8000/widget/v1/embed.js" data-tenant="tn_x"></script>'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def entry(**changes):
    return {
        "port": free_port(),
        "kind": "tenant",
        "title": "Alder Books",
        "accent": "#0f766e",
        "snippet": SNIPPET,
        **changes,
    }


@contextmanager
def running_sites(*entries):
    sites = [read_site(each) for each in entries]
    with running(lambda: start_sites(sites), stop_sites):
        yield [site.origin for site in sites]


def directives(policy):
    return {name: sources.split() for name, _, sources in (part.strip().partition(" ") for part in policy.split(";"))}


def test_a_shop_carries_its_snippet_once_as_it_was_given():
    with running_sites(entry()) as [origin]:
        page = send(origin).body.decode()

    assert page.count(SNIPPET) == 1
    assert "<title>Alder Books</title>" in page
    assert origin in page


def test_each_site_has_its_own_wares_and_colour():
    with running_sites(entry(), entry(title="Birch Bikes", accent="#b45309")) as [books, bikes]:
        assert "Night Trains" in send(books).body.decode()
        assert "Longhaul" in send(bikes).body.decode()
        assert b"--accent: #b45309" in send(f"{bikes}/site.css").body


@pytest.mark.parametrize("title", ["Alder Books", "Birch Bikes", "Your OpenAI"])
def test_every_picture_that_a_page_uses_is_drawn(title):
    with running_sites(entry(title=title)) as [origin]:
        page = send(origin).body.decode()
        drawn = send(f"{origin}/pictures.svg").body.decode()

    used = set(re.findall(r"/pictures\.svg#([a-z-]+)", page))
    assert used
    assert used <= set(re.findall(r'<symbol id="([a-z-]+)"', drawn))
    assert "$" not in drawn


def test_a_strangers_page_says_that_it_is_not_allowed():
    with running_sites(entry(kind="stranger", title="A <stranger>")) as [origin]:
        page = send(origin).body.decode()

    assert "origin_not_allowed" in page
    assert "A &lt;stranger&gt;" in page
    assert page.count(SNIPPET) == 1


def test_the_policy_allows_the_widget_and_nothing_else():
    policy = directives(policy_of(read_site(entry(chatkit="http://127.0.0.1:8002"))))

    assert policy["default-src"] == ["'none'"]
    widget = ["'self'", "http://127.0.0.1:8000"]
    assert policy["script-src"] == [*widget, "https://cdn.platform.openai.com", "http://127.0.0.1:8002"]
    assert policy["connect-src"] == [*widget, "https://api.openai.com", "http://127.0.0.1:8002"]
    assert policy["frame-src"] == ["https://cdn.platform.openai.com", "http://127.0.0.1:8002"]
    assert policy["style-src"] == ["'self'"]


def test_every_answer_carries_the_policy():
    with running_sites(entry()) as [origin]:
        for path in ("/", "/site.css", "/nothing"):
            assert "default-src 'none'" in send(origin + path).headers["content-security-policy"]


def test_no_page_asks_another_host_for_anything():
    with running_sites(entry(snippet="")) as [origin]:
        told = b"".join(send(origin + path).body for path in ("/", "/site.css"))

    assert not re.search(rb"(?:src|href)=\"(?:https?:)?//|url\(", told)


@pytest.fixture
def built(tmp_path):
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>app</title>")
    (root / "assets" / "app.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    return entry(kind="static", root=str(root), config={"apiUrl": "http://127.0.0.1:8000/api"})


def test_a_static_site_serves_the_built_app_and_its_config(built):
    with running_sites(built) as [origin]:
        assert send(f"{origin}/config.json").json == {"apiUrl": "http://127.0.0.1:8000/api"}
        assert send(f"{origin}/assets/app.js").body == b"run()"
        assert b"<title>app</title>" in send(f"{origin}/").body
        assert b"<title>app</title>" in send(f"{origin}/some/route").body
        assert send(f"{origin}/assets/gone.js").status == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
)
def test_a_static_site_serves_nothing_beside_its_folder(built, path):
    with running_sites(built) as [origin]:
        assert b"secret" not in send(origin + path).body


def test_a_static_site_that_is_not_built_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="make frontend"):
        read_site(entry(kind="static", root=str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[", "does not read as sites"),
        ('[{"port": 8003}]', "does not read as sites"),
        ('[{"port": 8003, "kind": "tenant", "accent": "red; }"}]', "not #rrggbb"),
        ('[{"port": 0, "kind": "tenant"}]', "port 0"),
        ('[{"port": 8003, "kind": "tenant", "chatkit": "*; script-src *"}]', "not an origin"),
    ],
)
def test_a_config_that_does_not_read_stops_the_start(tmp_path, text, complaint):
    path = tmp_path / "sites.json"
    path.write_text(text)

    with pytest.raises(SystemExit, match=complaint):
        read_sites(path)


def test_the_command_serves_all_sites_until_it_is_told_to_stop(tmp_path):
    sites = [entry(), entry(kind="stranger", title="A stranger's page")]
    path = tmp_path / "sites.json"
    path.write_text(json.dumps(sites))
    command = [sys.executable, "-m", "sandbox.sites", "--config", str(path)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        lines = [process.stdout.readline() for _ in sites]
        statuses = [send(f"http://127.0.0.1:{site['port']}/livez").status for site in sites]
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert [line.split(" (")[0] for line in lines] == ["Alder Books", "A stranger's page"]
    assert statuses == [200, 200]
    assert (process.returncode, errors) == (0, "")


def test_a_busy_port_is_told_with_the_cure(tmp_path):
    path = tmp_path / "sites.json"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path.write_text(json.dumps([entry(), entry(port=taken.getsockname()[1])]))
        command = [sys.executable, "-m", "sandbox.sites", "--config", str(path)]
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=20, check=False)

    assert done.returncode == 1
    assert "PORT=18000 make demo" in done.stderr
    assert "Traceback" not in done.stderr
