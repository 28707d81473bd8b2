"""Prepares the demo, starts it, says where everything is, and stops it on Ctrl-C or SIGTERM."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import requests

from encryption.make_secrets import fresh_secrets
from sandbox.demo.layout import LOOPBACK, ROOT, DemoTenant, Layout
from sandbox.demo.processes import Child, Family

START_DEADLINE = 90.0
ADMIN = "admin"


def main() -> None:
    started = time.monotonic()
    layout = Layout.from_environment(os.environ)
    refuse_busy_ports(layout)
    layout.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    (layout.var / "logs").mkdir(exist_ok=True)
    # Stale addresses must not pass for a running demo.
    (layout.var / "demo.json").unlink(missing_ok=True)
    kept = keep_secrets(layout.var / "secrets.json")
    environment = layout.environment({name: value for name, value in kept.items() if name != "ADMIN_PASSWORD"})

    family = Family()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
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
        say("Stopping every process")
        family.stop()
        (layout.var / "demo.json").unlink(missing_ok=True)


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


def _leave(_signal: int, _frame: Any) -> None:
    # A second Ctrl-C must not interrupt the stopping.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


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


def keep_secrets(file: Path) -> dict[str, str]:
    """The demo's secrets, made at the first start and kept, readable by the owner alone."""
    if not file.exists():
        say("Creating secrets and an admin password in var/")
        write_private(file, json.dumps({**fresh_secrets(), "ADMIN_PASSWORD": secrets.token_urlsafe(12)}))
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def write_private(file: Path, text: str) -> None:
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text(text)
    draft.replace(file)


def manage(environment: dict[str, str], *words: str) -> str:
    """One command of manage.py; its failure ends the demo with what it said."""
    done = subprocess.run(  # noqa: S603  (commands are the demo's own)
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"manage.py {words[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def prepare_database(environment: dict[str, str], password: str) -> None:
    say("Preparing the database and the static files")
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    manage(
        {**environment, "DJANGO_SUPERUSER_PASSWORD": password, "DJANGO_SUPERUSER_USERNAME": ADMIN},
        "ensure_superuser",
    )


def register(tenant: DemoTenant, environment: dict[str, str]) -> str:
    """Registers the tenant where it is new; returns its public id. The key goes by the environment, never as an argument."""
    say(f"Registering tenant {tenant.name}")
    answer = manage(
        {**environment, "OPENAI_API_KEY": tenant.key},
        "register_tenant",
        *("--name", tenant.name, "--slug", tenant.slug, "--domain", tenant.origin, "--allow-http"),
        *("--assistant-name", f"{tenant.name} assistant", "--workflow", tenant.workflow, "--upstream", tenant.upstream),
        *("--accent", tenant.accent, "--greeting", f"Welcome to {tenant.name}. How can we help?"),
        *(
            "--fallback-text",
            "Our chat is taking a break. Write to us instead.",
            "--fallback-url",
            "mailto:help@example.com",
        ),
    )
    return str(json.loads(answer)["public_id"])


def allow(tenant: DemoTenant, origin: str, environment: dict[str, str]) -> None:
    manage(
        environment, "register_tenant", "--name", tenant.name, "--slug", tenant.slug, "--domain", origin, "--allow-http"
    )


def start(family: Family, layout: Layout, environment: dict[str, str], name: str, *words: str) -> None:
    log = layout.var / "logs" / f"{name}.log"
    family.start(Child(name, [sys.executable, *words], log, environment, ROOT))


def start_platform(family: Family, layout: Layout, environment: dict[str, str]) -> None:
    server = ["-m", "uvicorn", "config.asgi:application", "--host", LOOPBACK, "--lifespan", "on"]
    server += ["--no-proxy-headers", "--no-server-header", "--no-access-log", "--timeout-graceful-shutdown", "5"]
    server += ["--log-config", str(ROOT / "platform" / "config" / "uvicorn_logging.json")]
    celery = ["-m", "celery", "--quiet", "-A", "config"]
    start(family, layout, environment, "web", *server, "--port", str(layout.port))
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


def sites(layout: Layout, public_ids: list[str]) -> list[dict[str, Any]]:
    def snippet(public_id: str) -> str:
        return f'<script async src="{layout.platform}/widget/v1/embed.js" data-tenant="{public_id}"></script>'

    pages: list[dict[str, Any]] = [
        {
            "port": tenant.port,
            "title": tenant.name,
            "accent": tenant.accent,
            "kind": "tenant",
            "snippet": snippet(public_id),
            **({"chatkit": layout.sandbox} if tenant.upstream == "sandbox" else {}),
        }
        for tenant, public_id in zip(layout.tenants, public_ids, strict=True)
    ]
    pages.append(
        {
            "port": layout.stranger_port,
            "title": "A stranger's page",
            "accent": "#6b7280",
            "kind": "stranger",
            "snippet": snippet(public_ids[0]),
            "chatkit": layout.sandbox,
        }
    )
    if layout.react_build:
        config = {
            "apiUrl": f"{layout.platform}/api/v1/tenants/{public_ids[0]}",
            "chatkitJsUrl": f"{layout.sandbox}/chatkit.js",
        }
        pages.append(
            {
                "port": layout.react_port,
                "title": "React",
                "kind": "static",
                "root": str(layout.react_build),
                "config": config,
            }
        )
    return pages


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


def describe(layout: Layout, public_ids: list[str], password: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "platform": layout.platform,
        "admin": {"url": f"{layout.platform}/admin/", "username": ADMIN, "password": password},
        "sandbox": layout.sandbox,
        "tenants": [
            {
                "name": tenant.name,
                "public_id": public_id,
                "origin": tenant.origin,
                "page": f"{tenant.origin}/",
                "backend": "hosted_workflow",
            }
            for tenant, public_id in zip(layout.tenants, public_ids, strict=True)
        ],
        "stranger": {
            "origin": f"http://{LOOPBACK}:{layout.stranger_port}",
            "page": f"http://{LOOPBACK}:{layout.stranger_port}/",
        },
    }
    if layout.react_build:
        origin = f"http://{LOOPBACK}:{layout.react_port}"
        facts["react"] = {"origin": origin, "page": f"{origin}/", "tenant": public_ids[0]}
    return facts


def announce(facts: dict[str, Any], *, seconds: float) -> None:
    say(f"Ready after {seconds:.0f} s. Logs are in var/logs/; the same addresses are in var/demo.json.")
    rows = [
        ("Admin", f"{facts['admin']['url']}  user {facts['admin']['username']}  password {facts['admin']['password']}")
    ]
    rows += [(tenant["name"], tenant["page"]) for tenant in facts["tenants"]]
    rows += [("A stranger's page", facts["stranger"]["page"]), ("Sandbox OpenAI", f"{facts['sandbox']}/")]
    rows += [("React example", facts["react"]["page"])] if "react" in facts else []
    for label, text in rows:
        print(f"  {label:<18} {text}", flush=True)
    say("Ctrl-C stops everything.")


def watch(family: Family) -> None:
    while True:
        time.sleep(1)
        for child in family.revive():
            say(f"{child.name} had stopped and was started again; its log: {child.log}")


if __name__ == "__main__":
    main()
