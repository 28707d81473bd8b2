"""Prepares the demo, starts it, says where everything is, and stops it on Ctrl-C or SIGTERM."""

import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import requests

from sandbox.demo.facts import describe, sites
from sandbox.demo.layout import LOOPBACK, ROOT, Layout
from sandbox.demo.preparation import allow, keep_secrets, prepare_database, register, say, write_private
from sandbox.demo.processes import Child, Family

START_DEADLINE = 90.0
SERVED_BY = {"hosted_workflow": "chats served by OpenAI's ChatKit", "platform": "chats served by this platform"}
# Ctrl-C, a polite kill, and the closing of the terminal.
LEAVE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    started = time.monotonic()
    layout = Layout.from_environment(os.environ)
    layout.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_demo_of(layout.var):
        refuse_busy_ports(layout)
        run(layout, started)


def run(layout: Layout, started: float) -> None:
    (layout.var / "logs").mkdir(exist_ok=True)
    # Stale addresses must not pass for a running demo.
    (layout.var / "demo.json").unlink(missing_ok=True)
    kept = keep_secrets(layout.var / "secrets.json")
    environment = layout.environment({name: value for name, value in kept.items() if name != "ADMIN_PASSWORD"})

    family = Family()
    for each in LEAVE:
        signal.signal(each, _leave)
    try:
        say("Starting the sandbox OpenAI")
        start(family, layout, environment, "sandbox", "-m", "sandbox", "--port", str(layout.sandbox_port))
        prepare_database(environment, kept["ADMIN_PASSWORD"])
        registered = [register(tenant, environment) for tenant in layout.tenants]
        if layout.react_build:
            allow(layout.tenants[0], f"http://{LOOPBACK}:{layout.react_port}", environment)
        say("Starting the web server, the preview host, the Celery worker, beat and the demo websites")
        write_private(layout.var / "sites.json", json.dumps(sites(layout, registered), indent=2))
        start_platform(family, layout, environment)
        wait_until_all_answer(family, layout)
        facts = describe(layout, registered, kept["ADMIN_PASSWORD"])
        write_private(layout.var / "demo.json", json.dumps(facts, indent=2) + "\n")
        announce(facts, seconds=time.monotonic() - started)
        watch(family)
    finally:
        (layout.var / "demo.json").unlink(missing_ok=True)
        # The terminal may be gone.
        with suppress(OSError):
            say("Stopping every process")
        family.stop()


def _leave(_signal: int, _frame: Any) -> None:
    # A second Ctrl-C must not interrupt the stopping.
    for each in LEAVE:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


@contextmanager
def only_demo_of(var: Path) -> Iterator[None]:
    """Two demos on one folder would take each other's messages and addresses; `make demo-reset` asks for this lock too."""
    with (var / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SystemExit(
                f"A demo of this folder runs already, as process {lock.read().strip()}; its addresses are in var/demo.json. "
                "Stop it by Ctrl-C in its terminal, or by: kill <process>"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def refuse_busy_ports(layout: Layout) -> None:
    for port, what in layout.ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                raise SystemExit(
                    f"Port {port}, where {what} would answer, is busy. Stop what uses it, or choose other ports: "
                    f"PORT={18000 if layout.port != 18000 else 28000} make demo"
                ) from None


def start(family: Family, layout: Layout, environment: dict[str, str], name: str, *words: str) -> None:
    log = layout.var / "logs" / f"{name}.log"
    family.start(Child(name, [sys.executable, *words], log, environment, ROOT))


def start_platform(family: Family, layout: Layout, environment: dict[str, str]) -> None:
    server = ["-m", "uvicorn", "config.asgi:application", "--host", LOOPBACK, "--lifespan", "on"]
    server += [
        "--no-proxy-headers",
        "--no-server-header",
        "--no-access-log",
        "--ws",
        "none",
        "--http",
        "config.http_protocol:BoundedHead",
        "--timeout-graceful-shutdown",
        "10",
    ]
    server += ["--log-config", str(ROOT / "platform" / "config" / "uvicorn_logging.json")]
    celery = ["-m", "celery", "--quiet", "-A", "config"]
    # One process serves the platform's own chats; loading what that takes needs 3 s and 80 MB.
    start(family, layout, {**environment, "SERVE_CHAT": "1"}, "web", *server, "--port", str(layout.port))
    start(family, layout, environment, "preview", *server, "--port", str(layout.preview_port))
    start(
        family,
        layout,
        environment,
        "worker",
        *celery,
        "worker",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "-c",
        "2",
    )
    start(family, layout, environment, "beat", *celery, "beat", "--pidfile", "", "--max-interval", "1")
    start(family, layout, environment, "sites", "-m", "sandbox.sites", "--config", str(layout.var / "sites.json"))


def wait_until_all_answer(family: Family, layout: Layout) -> None:
    """Until each address answers and the worker takes work; the demo ends with a sentence if one of them never does."""
    browser = requests.Session()
    browser.trust_env = False
    parts: dict[str, Callable[[], bool]] = {
        address: partial(_answers, browser, address) for address in addresses(layout)
    }
    parts["the worker"] = partial(_has_said, family.named("worker"), b" ready.")
    deadline = time.monotonic() + START_DEADLINE
    for name, is_ready in parts.items():
        while not is_ready():
            stopped = [child for child in family.children if not child.is_alive]
            if stopped:
                raise SystemExit(f"{stopped[0].name} stopped while starting. Its log says why: {stopped[0].log}")
            if time.monotonic() > deadline:
                raise SystemExit(f"No answer of {name} within {START_DEADLINE:.0f} s. The logs: {layout.var / 'logs'}")
            time.sleep(0.2)


def addresses(layout: Layout) -> list[str]:
    ports = [tenant.port for tenant in layout.tenants] + [layout.stranger_port]
    ports += [layout.react_port] if layout.react_build else []
    probes = [f"{layout.sandbox}/livez", f"{layout.platform}/readyz", f"http://{LOOPBACK}:{layout.preview_port}/livez"]
    return probes + [f"http://{LOOPBACK}:{port}/" for port in ports]


def _answers(browser: requests.Session, address: str) -> bool:
    try:
        return browser.get(address, timeout=3, allow_redirects=False).status_code == 200
    except requests.RequestException:
        return False


def _has_said(child: Child, words: bytes) -> bool:
    """The child's log of this start holds these words."""
    return words in child.log.read_bytes()[child.log_starts_at :]


def announce(facts: dict[str, Any], *, seconds: float) -> None:
    say(f"Ready after {seconds:.0f} s. Logs are in var/logs/; the same addresses are in var/demo.json.")
    rows = [
        ("Admin", f"{facts['admin']['url']}  user {facts['admin']['username']}  password {facts['admin']['password']}")
    ]
    rows += [(tenant["name"], f"{tenant['page']}  ({SERVED_BY[tenant['backend']]})") for tenant in facts["tenants"]]
    rows += [("A stranger's page", facts["stranger"]["page"]), ("Sandbox OpenAI", f"{facts['sandbox']}/")]
    rows += [("React example", facts["react"]["page"])] if "react" in facts else []
    for label, text in rows:
        print(f"  {label:<24} {text}", flush=True)
    say("Ctrl-C stops everything.")


def watch(family: Family) -> None:
    while True:
        time.sleep(1)
        for child in family.revive():
            say(f"{child.name} had stopped and was started again; its log: {child.log}")


if __name__ == "__main__":
    main()
