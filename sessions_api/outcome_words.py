"""Why a session request was not granted, in words an operator can act on: what the page was told, what lay behind it, the cure.

The reason says most, so it is looked up first; what has none is explained by its code. `docs/troubleshooting.md` says the
same at length.
"""

from dataclasses import dataclass
from typing import Final

from django.conf import settings

from chatkit_client.errors import Reason
from gateway.errors import Code, PublicError
from gateway.identity_refusals import IdentityRefusal
from sessions_api.outcomes import OutcomeGroup, group_of
from tenants.models import Verdict
from tenants.verdict_words import Words, words_for


@dataclass(frozen=True, slots=True)
class Explanation:
    """`told` is what the page's developer reads; `behind` is for the operator: what was the case, and what to do."""

    told: str
    behind: str


_SEE_THE_DATABASE: Final = "See /readyz and the database's own log (docs/operating.md, “First aid”)."
_DEVELOPERS: Final = "The page's developer reads the sentence above in the browser's console and can mend it."

_BY_REASON: Final[dict[str, str]] = {
    "tenant_suspended": "The tenant is suspended. Resume it on its page, if that was not meant.",
    "tenant_deleting": "The tenant is being deleted. Its website should take the snippet out.",
    "address_flood": "One address calls more than twice as often as SESSIONS_PER_MINUTE_ADDRESS allows, so its calls are only "
    "counted. If it is your own proxy's, correct TRUSTED_PROXY_COUNT; else block it at the proxy.",
    "address_limit": "More sessions per minute came from one address than SESSIONS_PER_MINUTE_ADDRESS allows. Raise it for a "
    "large office; if everybody is hit, TRUSTED_PROXY_COUNT is too low.",
    "tenant_limit": "The tenant opened more sessions per minute than it may. Raise the limit on its page, unless its chat is "
    "misused.",
    "visitor_limit": "One visitor opened more sessions per minute than a visitor may. If it goes on, the page asks in a loop, "
    "or somebody plays with it.",
    "new_visitor_limit": "More visitors whom nobody has seen before came in a minute than NEW_VISITORS_PER_MINUTE_TENANT, or the "
    "tenant's own limit, allows. Usually a program that keeps no token; look at the addresses. Raise it for a true rush.",
    "quota_day": "The tenant's sessions of this day (UTC) are used up. Its page shows the use; raise the daily quota there, or "
    "wait for midnight.",
    "quota_month": "The tenant's sessions of this month (UTC) are used up. Its page shows the use; raise the monthly quota "
    "there, or wait for the first.",
    "chat_tenant": "The tenant's visitors sent more messages in a minute than it may. Raise the limit on its page, unless "
    "its chat is misused.",
    "chat_visitor": "One visitor sent more messages in a minute than a visitor may.",
    "tokens_day": "The tenant's tokens of this day (UTC) are used up, or held for answers in work. Its page shows the use; raise "
    "the budget there, or wait for midnight.",
    "visitor_tokens_day": "This visitor's tokens of this day (UTC) are used up, or held for answers in work.",
    "cost_month": "The tenant's money of this month (UTC) is used up, or held for answers in work. Its page shows the use; raise "
    "the budget there, or wait for the first.",
    "sign_out_limit": "One visitor signed out more than ten times in a minute. If it goes on, the page asks in a loop.",
    "no_default_assistant": "The tenant has no default assistant. Make one the default on the assistant's page.",
    "no_such_assistant": "The tenant has no such assistant. Compare data-assistant in its snippet with the assistant's slug.",
    "assistant_gone": "The assistant of an open chat was deleted, or has nothing to answer with any more. Nothing to do, if that "
    "was meant.",
    "fetch_metadata": "The call named an origin and said at the same time that no page made it (Sec-Fetch-Site: none). Browsers "
    "never do: a program or an extension called. Nothing to do.",
    "preview_expired": "A preview pattern of the tenant's list fits, but its last day is over. Choose a later one on the "
    "tenant's page, if those previews still need the chat.",
    "ticket_of_another_assistant": "A preview asked for another assistant than the one it was opened for. Open it again from "
    "the tenant's page.",
    "bulkhead": "TENANT_CONCURRENCY requests of this tenant were waiting for OpenAI. Usually OpenAI is slow for it: see the "
    "latency on the operations page. Raise TENANT_CONCURRENCY only for a true peak.",
    "process_full": "PROCESS_CONCURRENCY requests of all tenants together were waiting for OpenAI in this process. Usually "
    "OpenAI is slow: see the latency on the operations page.",
    "thread_busy": "A message came into a conversation while another answer in it was on its way: two tabs, or a message sent "
    "twice. It frees itself, at the latest half a minute after a process was killed. Nothing to do.",
    "body_not_chatkit": "The body is no request of ChatKit's protocol, or of a newer one than this release knows. If OpenAI's "
    "own chat sends it, look for a newer release of the platform.",
    "out_of_turn": "The call did not fit the conversation: an answer to a call that nobody waits for, or a retry of what is no "
    "visitor's message. Usually a second tab answered already. Nothing to do.",
    "no_transcription": "The page asked for dictation, which this backend does not offer. Its developer has to leave "
    "composer.dictation off.",
    "no_key": "The assistant has no key in use. Add one on the tenant's page and give it to the assistant.",
    "nothing_published": "The platform answers for this assistant, and no version of it is published. Write a draft on the "
    "assistant's page and publish it.",
    "user_scope_unreadable": "The tenant's visitor secret can't be opened with the master keys that the process has. Put the "
    "missing key back into MASTER_KEYS and restart.",
    "assistant_unusable": "OpenAI would refuse the assistant's stored settings. Open its page and save it: the form says what "
    "is wrong.",
    "breaker_open": "Calls had failed one after the other, so OpenAI was not asked this time. The rows just before this one "
    "have the failure itself; one good answer ends it.",
    "database_silent": f"The database did not answer. {_SEE_THE_DATABASE}",
    "database_silent_at_start": "The database had not answered since the process started, or the site's secrets could not be "
    f"opened. {_SEE_THE_DATABASE} If it is up, run `manage.py check --database default`.",
    "not_recorded": "The session could not be written down in time, so it was cancelled at OpenAI and not handed out. "
    f"{_SEE_THE_DATABASE}",
    "not_revoked": f"A visitor who signed out could not be noted, and was told so. {_SEE_THE_DATABASE}",
    "writer_full": f"Too many rows were waiting to be written. {_SEE_THE_DATABASE}",
    "spool_full": "The database took no rows, and the spool for them is full. Mend the database; then the spool drains.",
    "visitor_revoked": "The visitor signed out or was erased again and again while this was asked. The next attempt begins anew.",
    "withdrawn_meanwhile": "The configuration changed while the session was being granted, so nothing was handed out. The "
    "next attempt goes by the new one.",
}
_BY_CODE: Final[dict[str, str]] = {
    Code.ORIGIN_NOT_ALLOWED: "The page's origin is not on the tenant's list; scheme, host, port and “www.” count. If the page is "
    "the tenant's, add the origin on the tenant's page exactly as it stands here. If not: this is what the list is for.",
    Code.ORIGIN_MISSING: "A program called, or a proxy drops the Origin header. If pages are hit, let the proxy pass it on.",
    Code.ORIGIN_NULL: "A local file or a sandboxed frame called. Serve it from a website; for a frame add allow-same-origin.",
    Code.ORIGIN_MALFORMED: "A program called: browsers send another form of Origin. Nothing to do.",
    Code.METHOD_NOT_ALLOWED: f"The call was no POST. {_DEVELOPERS}",
    Code.CONTENT_TYPE_INVALID: f"The call did not say that it sends JSON. {_DEVELOPERS}",
    Code.BODY_INVALID: f"The body was not what the endpoint takes; the reason names what was wrong. {_DEVELOPERS}",
    Code.BODY_TOO_LARGE: f"The body was longer than 8 KiB. {_DEVELOPERS}",
    Code.INTEGRATION_OUTDATED: "The page can't open the assistant's backend. It needs the current embed script or React package.",
    Code.TOKEN_INVALID: "Somebody signed out with a token that is none of this tenant's: expired, damaged or made up. There was "
    "nothing to end.",
    Code.INTERNAL_ERROR: "A defect of the platform. The log has the traceback under the request ID: report it.",
    # Where the reason says more, it is looked up first: these are for a reason that this release does not know.
    Code.TENANT_UNKNOWN: "Nobody has this public ID, or the tenant is suspended or being deleted. Compare the snippet with the "
    "tenant's page.",
    Code.ASSISTANT_UNKNOWN: "The tenant has no such assistant, or no default one. Compare the snippet with the tenant's page.",
    Code.RATE_LIMITED: "A limit per minute was reached; the reason says whose. Raise it on the tenant's page if the use is fair.",
    Code.QUOTA_EXCEEDED: "The tenant's sessions of the day or the month are used up. Raise its quota on its page, or wait.",
    Code.IDENTITY_REQUIRED: "The tenant admits signed-in visitors only, and the page sent no identity_token: its developer "
    "has to.",
    Code.IDENTITY_INVALID: "The tenant's signed identity was refused; the token debugger on its page says why of a single token.",
    Code.TENANT_MISCONFIGURED: "No key of the assistant works. The tenant's page says which, and the cure.",
    Code.BUSY: "Too many of the tenant's requests were waiting for OpenAI. See the latency on the operations page.",
    Code.UPSTREAM_THROTTLED: "OpenAI limits the tenant's account. Wait, or ask OpenAI for more.",
    Code.UPSTREAM_UNAVAILABLE: "OpenAI did not answer, or answered with an error of its own. See its status page; if all tenants "
    "are hit, this server's way to it.",
    Code.UPSTREAM_INVALID: "OpenAI's answer could not be used. Often something stands between: look at the way there.",
    Code.PLATFORM_UNAVAILABLE: f"The platform could not work just then. {_SEE_THE_DATABASE}",
    # These leave no row, since no tenant is known: docs/refusals.md alone has the words.
    Code.NOT_FOUND: "There is nothing at the address, or no such release of the script. Compare it with the snippet.",
    Code.HOST_INVALID: "The host name is not in ALLOWED_HOSTS, or the proxy does not pass Host on.",
    Code.HTTPS_REQUIRED: "The call came over plain http, or TRUSTED_PROXY_COUNT or X-Forwarded-Proto is wrong.",
}


def explain(outcome: str, reason: str) -> Explanation:
    told = PublicError(Code(outcome)).message if outcome in set(Code) else ""
    return Explanation(told, _behind(outcome, reason) or "Look the reason up in docs/troubleshooting.md.")


def identity_in_words(identity: str) -> str:
    """What a row of the ledger says about the visitor's signed identity."""
    if identity in set(IdentityRefusal):
        return f"{identity}: {IdentityRefusal(identity).words.sentence}"
    return {"ok": "good", "kept": "good earlier; named by its visitor token now"}.get(identity, identity)


def _behind(outcome: str, reason: str) -> str:
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if reason in set(IdentityRefusal):
        words = IdentityRefusal(reason).words
        return f"{words.sentence} {words.cure} The token debugger on the tenant's page says it of a single token."
    if reason == "workflow_retired":
        return _joined(words_for(Verdict.WORKFLOW_MISSING, today=settings.SUNSET_DATE))
    if reason == "model_missing":
        return _joined(words_for(Verdict.MODEL_MISSING))
    if reason in {"key_unreadable", "upstream_not_allowed"}:
        return _joined(words_for(Verdict.DEGRADED, reason))
    # What was wrong with a page's body has names of its own.
    if group_of(outcome) == OutcomeGroup.FAILED and reason in set(Reason):
        return Reason(reason).sentence
    return _BY_CODE.get(outcome, "")


def _joined(words: Words) -> str:
    return f"{words.sentence} {words.cure}"
