"""What pages and browsers meet, asked over HTTP at PLATFORM_URL; and the clock, by OpenAI's own."""

import base64
import hashlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from django.conf import settings

from doctor.fetch import Fetched, Unreachable, fetch
from doctor.findings import Finding, fail, ok, warn, worst
from tenants.models import Assistant, Backend, Tenant, TenantState
from tenants.origins import OriginRule
from widget.embed import EmbedScript, embed_scripts

MOST_DRIFT_SECONDS: Final = 5.0
JSON_TYPE: Final = "application/json"
_CURES: Final = {
    "host_invalid": "Add PLATFORM_URL's host to ALLOWED_HOSTS, or let the proxy keep Host.",
    "https_required": "The proxy must send X-Forwarded-Proto, and TRUSTED_PROXY_COUNT must count it.",
    "rate_limited": "Wait a minute and run doctor again; if it stays, TRUSTED_PROXY_COUNT may be wrong.",
    "tenant_unknown": "The tenant is not active, or PLATFORM_URL leads to another platform.",
    "origin_not_allowed": "The web process does not know this entry: see that PLATFORM_URL leads to this platform.",
    "origin_missing": "The proxy drops the header Origin: let it pass.",
}
_ELSEWHERE: Final = (
    "See that PLATFORM_URL leads to this platform, through every proxy in between; the web log has the rest."
)


def cure_of(answer: Fetched) -> str:
    return _CURES.get(answer.code, _ELSEWHERE)


def unreachable(problem: Unreachable) -> Finding:
    return fail(
        f"{settings.PLATFORM_URL} cannot be reached from here ({problem.kind}).",
        "See that the web process runs and PLATFORM_URL is right: DNS, port, certificate, proxy.",
    )


def platform_url() -> Finding:
    try:
        answer = fetch("GET", f"{settings.PLATFORM_URL}/readyz")
    except Unreachable as problem:
        return unreachable(problem)
    if answer.status == 200:
        return ok(f"{settings.PLATFORM_URL} answers and is ready.")
    if 300 <= answer.status < 400:
        return fail(
            f"{settings.PLATFORM_URL} redirects: scripts and preflights fail on that.",
            "Set PLATFORM_URL to the final address, with https.",
        )
    if answer.status == 503 and not answer.code:
        return fail(
            "The web process says that it is not ready.",
            f"`curl {settings.PLATFORM_URL}/readyz` says which part is away.",
        )
    return fail(f"{settings.PLATFORM_URL}/readyz answers {answer.answer}.", cure_of(answer))


def scripts() -> Finding:
    """The embed script and its chat part are those of this release, with the headers that pages need."""
    known = embed_scripts()
    launcher, chat = known.current, known.chats[known.current.version]
    try:
        found = [
            _script("/widget/v1/embed.js", launcher, cached="max-age=300"),
            _script(f"/widget/{chat.version}/chat.js", chat, cached="immutable"),
        ]
    except Unreachable as problem:
        return unreachable(problem)
    return worst(found, otherwise=f"embed.js and chat.js {launcher.version} come whole, with the right headers.")


def _script(path: str, script: EmbedScript, *, cached: str) -> Finding:
    answer = fetch("GET", f"{settings.PLATFORM_URL}{path}")
    if answer.status != 200:
        return fail(f"{path} answers {answer.answer}: no page shows a chat.", cure_of(answer))
    if f"sha384-{base64.b64encode(hashlib.sha384(answer.body).digest()).decode()}" != script.sri:
        return fail(
            f"{path} is not the file of this release: browsers refuse what differs from its hash.",
            "Restart all web processes on one release; let no proxy or CDN change or keep scripts.",
        )
    wanted = {
        "content-type": "javascript",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": cached,
    }
    wrong = [name for name, value in wanted.items() if value not in answer.headers.get(name, "")]
    if wrong:
        return fail(
            f"{path} comes with wrong headers: {', '.join(wrong)}.", "Let the proxy pass the platform's headers."
        )
    return ok(f"{path} is served.")


def clock() -> Finding:
    """The upstream's Date against ours; the answer's status does not matter, and no key is sent."""
    url = next(iter(settings.OPENAI_BASE_URLS.values()))
    began = time.time()
    try:
        answer = fetch("GET", f"{url.rstrip('/')}/models", ca_file=settings.OPENAI_CA_FILE)
    except Unreachable as problem:
        return fail(
            f"OpenAI cannot be reached from here ({problem.kind}).",
            "See status.openai.com, then DNS, firewall, OPENAI_CA_FILE and OPENAI_BASE_URLS.",
        )
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return warn("OpenAI's answer has no date to compare with.", "Compare this machine's clock by hand: `date -u`.")
    return drift(theirs, began=began, ended=time.time())


def drift(theirs: datetime, *, began: float, ended: float) -> Finding:
    """The header has whole seconds and was written at some moment between."""
    stamp = theirs.timestamp()
    off = began - stamp - 1 if began > stamp + 1 else min(0.0, ended - stamp)
    if abs(off) <= MOST_DRIFT_SECONDS:
        return ok("This machine's clock agrees with OpenAI's.")
    direction = "ahead of" if off > 0 else "behind"
    return warn(
        f"This machine's clock is {abs(off):.0f} s {direction} OpenAI's: tokens expire early or late.",
        "Let the host keep time by NTP: `timedatectl` says whether it does.",
    )


def chats() -> Finding:
    """Whether the processes behind PLATFORM_URL serve chats, where some assistant needs it."""
    served = Assistant.objects.filter(backend=Backend.PLATFORM, tenant__state=TenantState.ACTIVE)
    tenants = Tenant.objects.filter(pk__in=served.values("tenant")).order_by("slug")
    for tenant in tenants.prefetch_related("domains")[:20]:
        origins = [origin for domain in tenant.domains.all() if (origin := origin_of_rule(domain.rule))]
        if origins:
            return _chat(tenant.public_id, origins[0])
    if tenants:
        return warn(
            "Assistants are served here, but none of their tenants has a website to ask as.", "Allow a website."
        )
    return ok("No assistant is served by the platform itself.")


def _chat(public_id: str, origin: str) -> Finding:
    try:
        answer = fetch(
            "POST",
            f"{settings.PLATFORM_URL}/api/v1/tenants/{public_id}/chatkit/",
            headers={"Origin": origin, "Content-Type": JSON_TYPE},
            body=b'{"type": "threads.list", "params": {}}',
        )
    except Unreachable as problem:
        return unreachable(problem)
    if (answer.status, answer.code) == (401, "token_invalid"):
        return ok("The chat endpoint is served, and refuses who has no token.")
    if answer.status == 404 and answer.code != "tenant_unknown":
        return fail(
            "Assistants are to be served here, but the processes behind PLATFORM_URL serve no chats.",
            "Start the web processes with SERVE_CHAT=1.",
        )
    return fail(f"The chat endpoint answers {answer.answer} where 401 token_invalid was due.", cure_of(answer))


def origin_of_rule(rule: OriginRule) -> str:
    """What a browser on such a page would send, with a made-up name for what is open."""
    if rule.include_subdomains:
        return f"{rule.scheme}://doctor.{rule.authority}"
    return f"{rule.scheme}://{rule.authority.replace('*', 'doctor')}"
