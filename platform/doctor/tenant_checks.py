"""One tenant, from its state to a browser's round trip; asks OpenAI with the tenant's own keys, and writes no verdict."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from doctor.fetch import Unreachable, fetch
from doctor.findings import Check, Finding, fail, ok, warn, worst
from doctor.web_checks import JSON_TYPE, cure_of, origin_of_rule, unreachable
from key_health.check import prepare
from key_health.models import CheckPlan
from key_health.probes import Probe, run_probes
from key_health.verdicts import Finding as KeyFinding
from sessions_api.edge import make_transport
from tenants.models import ApiKey, Assistant, AssistantKey, Backend, Tenant, TenantState, Verdict
from tenants.models.key import CONDEMNED
from tenants.openai_list import listings_of
from tenants.origin_warnings import warnings_of
from tenants.verdict_words import words_for

# A create, and two tries to cancel it (key_health/probes.py).
PROBE_SECONDS: Final = 18.0
ROUND_TRIP_SECONDS: Final = 30.0
MOST_ORIGINS: Final = 20


def checks_of(tenant: Tenant, assistants: Sequence[Assistant]) -> list[Check]:
    """For the tenant itself, each of its keys in use, and these assistants with each of their keys."""
    found = [
        Check("tenant.state", f"{tenant.slug}: state", lambda: state(tenant)),
        Check("tenant.domains", f"{tenant.slug}: websites", lambda: domains(tenant, assistants)),
        Check("tenant.cors", f"{tenant.slug}: round trip", lambda: round_trips(tenant, assistants), ROUND_TRIP_SECONDS),
    ]
    keys = list(tenant.keys.filter(retired_at=None).select_related("tenant"))
    if not keys:
        found.append(Check("tenant.key", f"{tenant.slug}: key", _no_key))
    found += [Check("tenant.key", f"{tenant.slug}: key {key.label}", _read(key), PROBE_SECONDS) for key in keys]
    if not assistants:
        found.append(Check("tenant.assistants", f"{tenant.slug}: assistants", _no_assistant))
    for assistant in assistants:
        found += _of_assistant(tenant, assistant)
    return found


def _of_assistant(tenant: Tenant, assistant: Assistant) -> list[Check]:
    name = f"{tenant.slug}/{assistant.slug}"
    found = []
    if assistant.backend == Backend.PLATFORM:
        found.append(Check("assistant.version", f"{name}: version", lambda: version(assistant)))
    pairs = AssistantKey.objects.filter(assistant=assistant, key__retired_at=None).select_related("key__tenant")
    what = "workflow" if assistant.backend == Backend.HOSTED_WORKFLOW else "model"
    if not pairs:
        found.append(Check(f"assistant.{what}", f"{name}: {what}", _no_pair))
    found += [
        Check(f"assistant.{what}", f"{name}: {what} with key {pair.key.label}", _pair(pair, assistant), PROBE_SECONDS)
        for pair in pairs
    ]
    return found


def state(tenant: Tenant) -> Finding:
    if tenant.state == TenantState.ACTIVE:
        return ok("The tenant is active.")
    if tenant.state == TenantState.SUSPENDED:
        return fail("The tenant is suspended: its pages show no chat.", "Resume it on its page in the console.")
    return fail("The tenant is being deleted.", "There is no way back; register it anew.")


def _no_key() -> Finding:
    return fail("The tenant has no key in use.", "Add one on the tenant's page.")


def _no_assistant() -> Finding:
    return fail("The tenant has no assistant.", "Add one on the tenant's page.")


def _no_pair() -> Finding:
    return fail("The assistant has no key in use.", "Give it one of the tenant's keys on the assistant's page.")


def version(assistant: Assistant) -> Finding:
    if assistant.published_version_id is None:
        return fail("No version is published.", "Write a draft on the assistant's page, try it, and publish it.")
    return ok(f"{assistant.published_version} is published.".capitalize())


def _read(key: ApiKey) -> Callable[[], Finding]:
    return lambda: judge(key.verdict, key.checked_at, ask(key), healthy="OpenAI accepts the key")


def _pair(pair: AssistantKey, assistant: Assistant) -> Callable[[], Finding]:
    healthy = (
        "A session was created and cancelled (with the OpenAI-Beta header, which the platform always sends)"
        if assistant.backend == Backend.HOSTED_WORKFLOW
        else "OpenAI lets the key use the model"
    )
    return lambda: judge(pair.verdict, pair.checked_at, ask(pair.key, assistant), healthy=healthy)


def ask(key: ApiKey, assistant: Assistant | None = None) -> KeyFinding:
    """One live probe, as the ladder makes it (no model is run); nothing is written down."""
    prepared = prepare(CheckPlan(pk=0, key=key, assistant=assistant))
    if not isinstance(prepared, Probe):
        return prepared
    probe = replace(prepared, wants_answer=False)
    for _, finding in run_probes([probe], make_transport(connections=1), begin_within=PROBE_SECONDS):
        if finding is not None:
            return finding
    return KeyFinding(Verdict.UNCHECKED, "check_failed")


def judge(stored: str, checked_at: datetime | None, live: KeyFinding, *, healthy: str) -> Finding:
    """What OpenAI says now, beside what the platform believes."""
    believed = f"The platform's verdict: {words_for(stored).title}, {_age(checked_at)}."
    if live.verdict == Verdict.HEALTHY:
        says = f"{healthy}. {believed}"
        if stored in CONDEMNED:
            return warn(says, "Choose “Check now” on the key's page: the key is kept from traffic until then.")
        return ok(says)
    words = words_for(live.verdict, live.reason)
    says = f"{words.title.capitalize()}: {words.sentence} {believed}"
    return (warn if live.verdict == Verdict.THROTTLED else fail)(says, words.cure)


def _age(checked_at: datetime | None) -> str:
    if checked_at is None:
        return "never checked"
    return f"checked {max(0, round((timezone.now() - checked_at).total_seconds() / 60))} min ago"


def domains(tenant: Tenant, assistants: Sequence[Assistant]) -> Finding:
    """The list is not empty, and nothing on it is open, over, or missing at OpenAI."""
    entries = list(tenant.domains.all())
    if not entries:
        return fail("No website is allowed: every page is refused.", "Allow the tenant's websites on its page.")
    today = datetime.now(UTC).date()
    found = [
        warn(f"{each.entry} ({each.label}).", each.sentence)
        for entry in entries
        for each in warnings_of(entry.rule, today=today)
    ]
    if any(assistant.backend == Backend.PLATFORM for assistant in assistants):
        found += [
            warn(f"{each.entry} is not (fully) on OpenAI's own list.", each.missing)
            for each in listings_of(tenant)
            if each.missing
        ]
    return worst(found, otherwise=f"{len(entries)} websites are allowed, without a warning.")


def round_trips(tenant: Tenant, assistants: Sequence[Assistant]) -> Finding:
    """As a browser on each allowed website: the preflight of a session, and the configuration."""
    today = datetime.now(UTC).date()
    rules = [each.rule for each in tenant.domains.all()]
    origins = [origin_of_rule(rule) for rule in rules if rule.expires_on is None or rule.expires_on >= today]
    if not origins:
        return fail("There is no website to ask as.", "Allow the tenant's websites on its page.")
    names = [assistant.slug for assistant in assistants if not assistant.is_default][:1]
    query = "" if not names or len(assistants) > 1 else f"?assistant={names[0]}"
    try:
        found = [_round_trip(tenant.public_id, origin, query) for origin in origins[:MOST_ORIGINS]]
    except Unreachable as problem:
        return unreachable(problem)
    return worst(found, otherwise=f"{len(found)} allowed origins get their preflight and configuration.")


def _round_trip(public_id: str, origin: str, query: str) -> Finding:
    base = f"{settings.PLATFORM_URL}/api/v1/tenants/{public_id}"
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = fetch("OPTIONS", f"{base}/chatkit/session/", headers=asks)
    if preflight.status != 204:
        return fail(f"{origin}: the preflight answers {preflight.answer}.", cure_of(preflight))
    configuration = fetch("GET", f"{base}/widget/{query}", headers={"Origin": origin, "Accept": JSON_TYPE})
    if configuration.status != 200:
        cure = (
            "Make one of the tenant's assistants the default, or name one in the snippet."
            if configuration.code == "assistant_unknown"
            else cure_of(configuration)
        )
        return fail(f"{origin}: the configuration answers {configuration.answer}.", cure)
    for name, answer in (("preflight", preflight), ("configuration", configuration)):
        if answer.headers.get("access-control-allow-origin") != origin:
            return fail(
                f"{origin}: the {name} comes without the CORS header of this origin, so browsers refuse it.",
                "Let the proxy pass the platform's CORS headers, and add none of its own.",
            )
    return ok(f"{origin}: preflight and configuration come.")
