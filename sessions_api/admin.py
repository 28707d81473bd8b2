"""The ledger of session requests and the live sessions in the console: to look things up, and to revoke what is live."""

import re
from functools import partial
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.filters import TenantFilter, WhenFilter
from audit.read_only import ReadOnlyAdmin, moment, two_lines
from audit.record import Actor
from console.badges import badge
from console.cards import Tone
from sessions_api.erasure_admin import ERASE_PERMISSION, VisitorErasureAdmin
from sessions_api.hints import send_hint
from sessions_api.models import LiveSession, SessionRequest
from sessions_api.outcome_words import explain, identity_in_words
from sessions_api.outcomes import GRANTED, OutcomeGroup, codes_of, group_of
from sessions_api.revoke import Which, revoke_sessions, uncancelled
from sessions_api.tasks import tick
from tenants.models import ApiKey, Tenant

__all__ = ["LiveSessionAdmin", "SessionRequestAdmin", "VisitorErasureAdmin"]

# The shape of our request ids and of visitors' references.
_OURS: Final = re.compile(r"[0-9a-f]{32}")


class OutcomeFilter(admin.SimpleListFilter):
    """By group; once a group is chosen, by its codes."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        choices: list[tuple[str, str]] = []
        for group in OutcomeGroup:
            choices.append((group.value, group.label))
            codes = codes_of(group)
            if group != OutcomeGroup.GRANTED and chosen in {group.value, *codes}:
                choices += [(code, f"– {code}") for code in codes]
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(outcome__in=codes_of(chosen) if chosen in OutcomeGroup.values else [chosen])


@admin.register(SessionRequest)
class SessionRequestAdmin(ReadOnlyAdmin):
    list_display = ["when", "tenant_named", "result", "asked_by", "visitor", "took_both"]
    list_filter = [OutcomeFilter, ("at", WhenFilter), TenantFilter]
    # Draws the search field; `get_search_results` decides which column is searched.
    search_fields = ["=request_id"]
    search_help_text = "A whole request ID (ours or OpenAI's), a visitor's reference, or an origin."
    # Sorting by anything but time would sort the whole table.
    sortable_by: ClassVar[list[str]] = []
    readonly_fields: ClassVar[Any] = [
        *("when", "result", "tenant_named", "told", "behind", "key", "took", "upstream_took", "who", "signed"),
        "visitor_to_erase",
    ]
    _HAPPENED: Final = (
        "What happened",
        {"fields": ["when", "tenant_named", "assistant_slug", "result", "reason", "count", "would_refuse", "took"]},
    )
    _WHY: Final = ("Why was this not granted?", {"fields": ["told", "behind"]})
    _ASKED: Final = (
        "Who asked",
        {"fields": ["origin", "visitor_ref", "who", "signed", "address", "client", "request_id"]},
    )
    _OPENAI: Final = ("OpenAI", {"fields": ["key", "upstream_status", "upstream_took", "upstream_request_id"]})

    def get_fieldsets(self, request: HttpRequest, obj: SessionRequest | None = None) -> Any:
        is_granted = obj is None or obj.outcome == GRANTED
        asked = {**self._ASKED[1], "fields": _erasable(request, self._ASKED[1]["fields"])}
        return [self._HAPPENED, *([] if is_granted else [self._WHY]), (self._ASKED[0], asked), self._OPENAI]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionRequest]:
        rows: QuerySet[SessionRequest] = super().get_queryset(request)
        # No join: the rows of a tenant that is gone would be missing from its own list.
        return rows.prefetch_related(Prefetch("tenant", Tenant.objects.only("name")))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By its shape a term belongs to one or two columns, each with an index: part of a word would read the whole ledger."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if "://" in term:
            return queryset.filter(origin=term.rstrip("/")), False
        if _OURS.fullmatch(term.lower()):
            return queryset.filter(Q(request_id=term.lower()) | Q(visitor_ref=term.lower())), False
        return queryset.filter(upstream_request_id=term), False

    @admin.display(description="when (UTC)")
    def when(self, row: SessionRequest) -> SafeString:
        return moment(row.at)

    @admin.display(description="tenant")
    def tenant_named(self, row: SessionRequest) -> str:
        return str(row.tenant) if row.tenant else f"deleted: {row.tenant_id}"

    @admin.display(description="outcome")
    def result(self, row: SessionRequest) -> SafeString:
        notes = {
            row.reason: row.reason != row.outcome,
            f"{row.count} counted together": row.count > 1,
            f"on trial: {row.would_refuse}": bool(row.would_refuse),
            "preflight": row.is_preflight,
            "refresh": row.is_refresh,
        }
        said = ", ".join(note for note, holds in notes.items() if note and holds)
        return two_lines(badge(group_of(row.outcome), row.outcome), said)

    @admin.display(description="origin, script version")
    def asked_by(self, row: SessionRequest) -> SafeString:
        return two_lines(row.origin or "–", row.client)

    @admin.display(description="visitor")
    def visitor(self, row: SessionRequest) -> SafeString:
        notes = [note for note in (row.visitor_kind, row.identity) if note not in ("", "anon")]
        return two_lines(_visitor(row.visitor_ref), ", ".join(notes))

    @admin.display(description="kind of visitor", empty_value="–")
    def who(self, row: SessionRequest) -> str:
        return {"anon": "anonymous", "known": "known by a signed identity"}.get(row.visitor_kind, "")

    @admin.display(description="signed identity", empty_value="–")
    def signed(self, row: SessionRequest) -> str:
        return identity_in_words(row.identity)

    @admin.display(description="visitor")
    def visitor_to_erase(self, row: SessionRequest) -> SafeString | str:
        return _visitor_to_erase(row)

    @admin.display(description="took")
    def took_both(self, row: SessionRequest) -> SafeString:
        status = "no answer" if row.upstream_status is None else row.upstream_status
        openai = "not asked" if row.upstream_ms is None else status
        return format_html('<span class="nowrap">{}</span>', two_lines(self.took(row), f"OpenAI: {openai}"))

    @admin.display(description="took")
    def took(self, row: SessionRequest) -> str:
        return f"{row.latency_ms} ms"

    @admin.display(description="the page was told", empty_value="–")
    def told(self, row: SessionRequest) -> str:
        return explain(row.outcome, row.reason).told

    @admin.display(description="what lay behind it, and what to do")
    def behind(self, row: SessionRequest) -> str:
        return explain(row.outcome, row.reason).behind

    @admin.display(description="OpenAI took")
    def upstream_took(self, row: SessionRequest) -> str:
        return "was not asked" if row.upstream_ms is None else f"{row.upstream_ms} ms"

    @admin.display(description="key")
    def key(self, row: SessionRequest) -> SafeString | str:
        key = ApiKey.objects.defer("token").filter(pk=row.key_id).first() if row.key_id else None
        if key is None:
            return f"deleted: {row.key_id}" if row.key_id else "none was tried"
        return format_html('<a href="{}">{}</a>', reverse("admin:tenants_apikey_change", args=[key.pk]), key)


@admin.register(LiveSession)
class LiveSessionAdmin(ReadOnlyAdmin):
    """What could still be used just now, and how far its cancelling has come; each row goes soon after its expiry."""

    list_display = ["granted", "tenant", "key", "visitor", "expires", "state"]
    list_filter = [TenantFilter]
    list_select_related = ["tenant", "key"]
    search_fields = ["=visitor_ref", "=session_id"]
    search_help_text = "A visitor's whole reference, or OpenAI's session ID."
    sortable_by: ClassVar[list[str]] = []
    fields: ClassVar[Any] = ["granted", "expires", "state", "tenant", "key", "visitor_ref", "session_id", "attempts"]
    readonly_fields = [*fields, "visitor_to_erase"]

    def get_fields(self, request: HttpRequest, obj: LiveSession | None = None) -> Any:
        return _erasable(request, self.fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LiveSession]:
        rows: QuerySet[LiveSession] = super().get_queryset(request)
        return rows.defer("tenant__user_scope_token", "key__token")

    @admin.display(description="granted (UTC)")
    def granted(self, session: LiveSession) -> SafeString:
        return moment(session.granted_at)

    @admin.display(description="expires (UTC)")
    def expires(self, session: LiveSession) -> SafeString:
        return moment(session.expires_at)

    @admin.display(description="visitor")
    def visitor(self, session: LiveSession) -> SafeString | str:
        return _visitor(session.visitor_ref)

    @admin.display(description="visitor")
    def visitor_to_erase(self, session: LiveSession) -> SafeString | str:
        return _visitor_to_erase(session)

    @admin.display(description="state")
    def state(self, session: LiveSession) -> SafeString:
        if session.cancelled_at:
            return badge("cancelled")
        if session.expires_at <= timezone.now():
            return badge("expired")
        if session.cancel_requested_at:
            return badge("cancelling", "being cancelled", tone=Tone.WARN)
        return badge("live", "may be in use", tone=Tone.OK)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_view)
        return [path("revoke/<uuid:tenant_id>/", view, name="sessions_api_livesession_revoke"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        """All of a tenant's, after a page that says what will happen."""
        if not request.user.has_perm("tenants.change_tenant"):
            raise PermissionDenied
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None:
            raise Http404
        which = Which(tenant.pk)
        if request.method != "POST":
            frame = {**self.admin_site.each_context(request), "opts": self.opts, "tenant": tenant}
            facts = {"title": f"Revoke live sessions of {tenant}", "live": which.of(uncancelled()).count()}
            return TemplateResponse(request, "sessions_api/revoke.html", {**frame, **facts})
        with transaction.atomic():
            count = revoke_sessions(which=which, actor=Actor.of(request))
            transaction.on_commit(partial(send_hint, tick))
        messages.success(request, f"{count} live sessions are being cancelled at OpenAI.")
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant.pk]) + "#sessions")


def _visitor(reference: str) -> SafeString | str:
    """Enough to tell visitors apart by eye; the whole reference leads to all of theirs in this list."""
    return format_html('<a href="?q={}"><code>{}…</code></a>', reference, reference[:8]) if reference else "–"


def _erasable(request: HttpRequest, fields: Any) -> list[str]:
    """For whoever may erase visitors the reference comes with that button."""
    may_erase = request.user.has_perm(ERASE_PERMISSION)
    return ["visitor_to_erase" if name == "visitor_ref" and may_erase else name for name in fields]


def _visitor_to_erase(row: SessionRequest | LiveSession) -> SafeString | str:
    if not row.visitor_ref:
        return "–"
    url = reverse("admin:sessions_api_visitorerasure_erase", args=[row.tenant_id])
    return format_html('<code>{0}</code> <a href="{1}?ref={0}">Erase this visitor…</a>', row.visitor_ref, url)
