"""The audit in the admin: read, filtered, exported, and never written."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.actions import Action
from audit.chain import SENTENCES, link_fault
from audit.export import FORMATS, file_name, lines, streamed
from audit.filters import ActionFilter, ActorFilter, TenantFilter, WhenFilter
from audit.models import AuditEvent
from audit.read_only import ReadOnlyAdmin, moment, two_lines
from audit.record import Actor, Subject, record
from audit.rows import change_rows


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["seq", "when", "what", "subject_named", "who"]
    list_display_links = ["seq", "when"]
    list_filter = [ActionFilter, ("at", WhenFilter), ActorFilter, TenantFilter]
    search_fields = ["subject", "actor", "tenant_name", "=subject_id", "=request_id"]
    search_help_text = "A subject, a person, a tenant; or a whole request ID or subject ID."
    # Sorting by anything but the number would sort the whole table.
    sortable_by: ClassVar[list[str]] = ["seq"]

    @admin.display(description="when (UTC)", ordering="seq")
    def when(self, event: AuditEvent) -> SafeString:
        return moment(event.at)

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> SafeString:
        return format_html("<code>{}</code>", event.action)

    @admin.display(description="to what")
    def subject_named(self, event: AuditEvent) -> SafeString:
        return two_lines(event.subject or "–", " · ".join(filter(None, (event.subject_type, event.tenant_name))))

    @admin.display(description="who")
    def who(self, event: AuditEvent) -> SafeString:
        return two_lines(event.actor, event.address)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export.<slug:form>", view, name="audit_auditevent_export"), *super().get_urls()]

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The list as it is filtered, as a file; that somebody took it is an event too."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in FORMATS:
            raise Http404("The audit is exported as csv or jsonl.")
        # Taken before the export's own event is written, so that an export never contains itself.
        events = self.get_changelist_instance(request).get_queryset(request)
        last = events.order_by("-seq").values_list("seq", flat=True).first() or 0
        with transaction.atomic():
            record(
                Action.AUDIT_EXPORTED,
                actor=Actor.of(request),
                subject=Subject(type="audit", id="", label=f"audit as {form}"),
                changes={"format": form, "filter": request.GET.dict(), "up_to": last},
            )
        events = events.filter(seq__lte=last)
        # The other door to Django, WSGI and its test client, wants the iterator to be synchronous.
        body = streamed(events, form) if isinstance(request, ASGIRequest) else lines(events, form)
        name = file_name(form, at=timezone.now().strftime("%Y-%m-%d-%H%M%S"))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(body, content_type=FORMATS[form], headers=headers)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = request.GET.copy()
        query.pop("p", None)
        context = {"title": "Audit", "export_query": query.urlencode(), "formats": list(FORMATS)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        context = _read(event) if event and self.has_view_permission(request, event) else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _read(event: AuditEvent) -> dict[str, Any]:
    """What the page of one event shows beside its columns."""
    fault = link_fault(event)
    return {
        "title": f"Event {event.seq}",
        "subtitle": None,
        "event": event,
        "rows": change_rows(event.changes),
        "link_fault": SENTENCES[fault] if fault else "",
        "before": AuditEvent.objects.filter(seq=event.seq - 1).first(),
        "after": AuditEvent.objects.filter(seq=event.seq + 1).first(),
    }
