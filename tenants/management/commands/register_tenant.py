"""`manage.py register_tenant`: a tenant from the command line, for operators and for the demo."""

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.record import SYSTEM
from encryption.secret import Secret
from tenants.assistants import add_assistant, let_assistant_use_key
from tenants.domains import allow_domain
from tenants.keys import KeyRefused, add_key, read_key_text
from tenants.models import ApiKey, Assistant, Tenant, TenantState
from tenants.models.assistant import Backend
from tenants.origin_entries import EntryRefused
from tenants.registration import register_tenant
from tenants.upstreams import default_upstream
from tenants.versions import publish, save_draft


class Command(BaseCommand):
    help = (
        'Registers a tenant and prints {"public_id", "created"}. Idempotent by --slug: where the tenant exists, only what '
        "it lacks is added (domains; a key or an assistant if it has none; with --backend platform the assistant of "
        "--assistant-slug, and its first version) and nothing is changed. The key is read from "
        "OPENAI_API_KEY or --key-file, never from the command line, where every process of the machine could read it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", required=True)
        parser.add_argument(
            "--upstream", default=default_upstream(), help="a name of OPENAI_BASE_URLS; default: its first"
        )
        parser.add_argument("--domain", action="append", default=[], help="as people type it; repeatable")
        parser.add_argument(
            "--allow-http", action="store_true", help="let --domain be plain http or localhost (development)"
        )
        parser.add_argument("--key-file", help="a file that holds the OpenAI key; - reads standard input")
        parser.add_argument("--key-label", default="first key")
        parser.add_argument("--workflow", default="", help="wf_…; without it no hosted assistant is made")
        parser.add_argument("--backend", choices=Backend.values, default=Backend.HOSTED_WORKFLOW.value)
        parser.add_argument("--model", default="", help="of OpenAI's Responses API; for --backend platform")
        parser.add_argument("--instructions", default="", help="what the model is told; for --backend platform")
        parser.add_argument("--assistant-name", default="Assistant")
        parser.add_argument("--assistant-slug", default="default")
        parser.add_argument("--greeting", default="")
        parser.add_argument("--accent", default="", help="#rrggbb")
        parser.add_argument("--fallback-text", default="")
        parser.add_argument("--fallback-url", default="", help="https:, mailto: or tel: address")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _require_whole(options)
            plaintext = _read_key(options["key_file"])
            with transaction.atomic():
                tenant, created = _find_or_register(options)
                for text in options["domain"]:
                    allow_domain(tenant=tenant, text=text, actor=SYSTEM, allow_http=options["allow_http"])
                _complete(tenant, plaintext, options)
        except EntryRefused as refusal:
            raise CommandError(f"--domain: {refusal.message}") from None
        except KeyRefused as refusal:
            raise CommandError(f"The OpenAI key: {refusal.message}") from None
        except ValidationError as refusal:
            raise CommandError(_sentences(refusal)) from None
        self.stdout.write(json.dumps({"public_id": tenant.public_id, "created": created}))


def _read_key(key_file: str | None) -> Secret | None:
    if key_file == "-":
        return read_key_text(sys.stdin.read())
    if key_file:
        try:
            return read_key_text(Path(key_file).read_text(encoding="utf-8", errors="replace"))
        except OSError as problem:
            raise CommandError(
                f"--key-file can't be read: {problem.strerror}. Give the path of a file that holds the key."
            ) from None
    text = os.environ.get("OPENAI_API_KEY", "")
    return read_key_text(text) if text.strip() else None


def _find_or_register(options: dict[str, Any]) -> tuple[Tenant, bool]:
    known = Tenant.objects.filter(slug=options["slug"]).first()
    if known is not None and known.state == TenantState.DELETING:
        raise CommandError(
            f"The tenant with the slug {known.slug} is being deleted. Wait until it is gone, or use another slug."
        )
    if known is not None:
        return known, False
    tenant = register_tenant(
        name=options["name"],
        slug=options["slug"],
        actor=SYSTEM,
        upstream=options["upstream"],
        fallback_text=options["fallback_text"],
        fallback_url=options["fallback_url"],
    )
    return tenant, True


def _require_whole(options: dict[str, Any]) -> None:
    is_platform = options["backend"] == Backend.PLATFORM
    if is_platform and not (options["model"] and options["instructions"].strip()):
        raise CommandError("--backend platform needs --model and --instructions: the first version is made of them.")
    if is_platform and options["workflow"]:
        raise CommandError("--workflow is for the hosted backend. Leave it out, or leave out --backend platform.")
    if not is_platform and (options["model"] or options["instructions"]):
        raise CommandError("--model and --instructions need --backend platform: a workflow has its own at OpenAI.")


def _complete(tenant: Tenant, plaintext: Secret | None, options: dict[str, Any]) -> None:
    """A key and an assistant where the tenant lacks them; they are paired if either of them is new."""
    key = ApiKey.objects.filter(tenant=tenant, retired_at__isnull=True).order_by("created_at").first()
    new_key = plaintext if key is None else None
    if new_key is not None:
        key = add_key(tenant=tenant, label=options["key_label"], plaintext=new_key, actor=SYSTEM)
    is_platform = options["backend"] == Backend.PLATFORM
    assistants = Assistant.objects.filter(tenant=tenant).order_by("-is_default", "created_at")
    assistant = (assistants.filter(slug=options["assistant_slug"]) if is_platform else assistants).first()
    is_new = assistant is None and (is_platform or bool(options["workflow"]))
    if is_new:
        assistant = add_assistant(
            tenant=tenant,
            name=options["assistant_name"],
            slug=options["assistant_slug"],
            workflow_id=options["workflow"],
            actor=SYSTEM,
            backend=options["backend"],
            greeting=options["greeting"],
            accent=options["accent"],
        )
    if is_platform and assistant is not None:
        _publish_first(assistant, options)
    if key is not None and assistant is not None and (new_key is not None or is_new):
        let_assistant_use_key(assistant=assistant, key=key, actor=SYSTEM)


def _publish_first(assistant: Assistant, options: dict[str, Any]) -> None:
    """Version 1, where nothing is published yet."""
    if assistant.backend != Backend.PLATFORM:
        raise CommandError(
            f"The assistant “{assistant.slug}” is a hosted workflow already. Give another --assistant-slug, or write its first "
            "version on its page and switch it with `manage.py switch_backend`."
        )
    if assistant.published_version_id is None:
        values = {"model": options["model"], "instructions": options["instructions"]}
        save_draft(assistant=assistant, values=values, actor=SYSTEM)
        publish(assistant=assistant, actor=SYSTEM)


def _sentences(refusal: ValidationError) -> str:
    if not hasattr(refusal, "error_dict"):
        return " ".join(refusal.messages)
    return "\n".join(f"{field}: {' '.join(messages)}" for field, messages in refusal.message_dict.items())
