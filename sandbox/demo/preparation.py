"""Before anything starts: secrets, database, static files, the first user and the tenants, by the product's own commands."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

from encryption.make_secrets import fresh_secrets
from sandbox.demo.layout import ROOT, DemoTenant

ADMIN = "admin"


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


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
    manage(environment, "setup_groups")
    # Dollars for a million tokens of the stand-in's model, so that Cedar's chats have a cost.
    manage(
        environment, "set_price", "gpt-sandbox", "--input=1.25", "--cached=0.125", "--output=10", "--from=2026-01-01"
    )
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
        *("--assistant-name", f"{tenant.name} assistant", "--upstream", tenant.upstream),
        *_backend(tenant),
        *("--accent", tenant.accent, "--greeting", f"Welcome to {tenant.name}. How can we help?"),
        *(
            "--fallback-text",
            "Our chat is taking a break. Write to us instead.",
            "--fallback-url",
            "mailto:help@example.com",
        ),
    )
    return str(json.loads(answer)["public_id"])


def _backend(tenant: DemoTenant) -> list[str]:
    if not tenant.model:
        return ["--workflow", tenant.workflow]
    instructions = f"You are the friendly assistant of {tenant.name}. Answer in two sentences at most."
    return ["--backend", "platform", "--model", tenant.model, "--instructions", instructions]


def allow(tenant: DemoTenant, origin: str, environment: dict[str, str]) -> None:
    manage(
        environment, "register_tenant", "--name", tenant.name, "--slug", tenant.slug, "--domain", origin, "--allow-http"
    )
