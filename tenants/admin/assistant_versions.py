"""What the platform serves for an assistant, in the admin: its draft, its versions, and who answers."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from audit.record import Actor
from tenants.admin.draft_form import DraftForm
from tenants.badges import badge
from tenants.models import AgentVersion, Assistant, ConfigEpoch, TenantState
from tenants.models.assistant import Backend
from tenants.switch import SwitchRefused, first_instructions, prepare_switch, switch_backend, would_switch
from tenants.versioning import NoSuchVersion
from tenants.versions import VERSIONS, discard_draft, publish, roll_back, save_draft

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


class PublishForm(forms.Form):
    note = forms.CharField(max_length=200, required=False)


class AssistantVersions(_ModelAdmin):
    def version_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "tenants_assistant"
        return [
            path("<uuid:assistant_id>/versions/", view(self.versions_view), name=f"{name}_versions"),
            path("<uuid:assistant_id>/versions/prepare/", view(self.prepare_view), name=f"{name}_prepare"),
            path("<uuid:assistant_id>/versions/publish/", view(self.publish_view), name=f"{name}_publish"),
            path("<uuid:assistant_id>/versions/discard/", view(self.discard_view), name=f"{name}_discard"),
            path("<uuid:assistant_id>/versions/<int:number>/", view(self.roll_back_view), name=f"{name}_roll_back"),
            path("<uuid:assistant_id>/switch/", view(self.switch_view), name=f"{name}_switch"),
        ]

    def versions_view(self, request: HttpRequest, assistant_id: Any) -> HttpResponse:
        """The draft's form, what it would change, and all versions. POST saves the draft."""
        if request.method != "POST":
            assistant = self._assistant(request, assistant_id)
            return self._versions_page(request, assistant, DraftForm(instance=_begun(assistant)))
        with transaction.atomic():
            # Whoever saves waits for others before the form is checked (admin/seen.py).
            ConfigEpoch.lock()
            assistant = self._to_change(request, assistant_id)
            form = DraftForm(request.POST, instance=_begun(assistant))
            if form.is_valid():
                save_draft(assistant=assistant, values=form.values, actor=Actor.of(request))
                messages.success(request, "The draft is saved. Visitors meet it when it is published; try it before.")
                return self._to_versions(assistant)
        return self._versions_page(request, assistant, form)

    def prepare_view(self, request: HttpRequest, assistant_id: Any) -> HttpResponse:
        assistant = self._posted(request, assistant_id)
        with transaction.atomic():
            prepare_switch(assistant=assistant, actor=Actor.of(request))
        return self._to_versions(assistant)

    def publish_view(self, request: HttpRequest, assistant_id: Any) -> HttpResponse:
        assistant = self._posted(request, assistant_id)
        form = PublishForm(request.POST)
        note = form.cleaned_data["note"] if form.is_valid() else ""
        try:
            with transaction.atomic():
                version = publish(assistant=assistant, actor=Actor.of(request), note=note)
        except NoSuchVersion as refusal:
            messages.error(request, str(refusal))
        except forms.ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            messages.success(request, f"Version {version.number} is published. {_effect(assistant)}")
        return self._to_versions(assistant)

    def discard_view(self, request: HttpRequest, assistant_id: Any) -> HttpResponse:
        assistant = self._posted(request, assistant_id)
        try:
            with transaction.atomic():
                discard_draft(assistant=assistant, actor=Actor.of(request))
        except NoSuchVersion as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "The draft is discarded. What visitors meet is as before.")
        return self._to_versions(assistant)

    def roll_back_view(self, request: HttpRequest, assistant_id: Any, number: int) -> HttpResponse:
        assistant = self._posted(request, assistant_id)
        try:
            with transaction.atomic():
                roll_back(assistant=assistant, number=number, actor=Actor.of(request))
        except NoSuchVersion as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Version {number} counts again. {_effect(assistant)}")
        return self._to_versions(assistant)

    def switch_view(self, request: HttpRequest, assistant_id: Any) -> HttpResponse:
        """A page that says what would happen and what stands in the way; POST switches."""
        assistant = self._to_change(request, assistant_id)
        to = Backend.HOSTED_WORKFLOW if assistant.backend == Backend.PLATFORM else Backend.PLATFORM
        if request.method != "POST":
            context = {"to": to, "plan": would_switch(assistant, to)}
            return self._page(request, assistant, "switch", f"Switch {assistant}", context)
        # The page says where it leads: pressed twice, or by two people, it doesn't switch back.
        wanted = request.POST.get("to", "")
        if wanted not in Backend.values:
            raise Http404
        try:
            with transaction.atomic():
                switch_backend(assistant=assistant, to=wanted, actor=Actor.of(request))
        except SwitchRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request,
                f"{assistant} is answered by: {Backend(wanted).label}. It counts everywhere within two seconds, and open pages "
                "go on by themselves.",
            )
        return HttpResponseRedirect(reverse("admin:tenants_assistant_change", args=[assistant.pk]))

    def _versions_page(self, request: HttpRequest, assistant: Assistant, form: DraftForm) -> HttpResponse:
        versions = list(VERSIONS.all_of(assistant))
        draft = next((each for each in versions if each.is_draft), None)
        published = VERSIONS.published_of(assistant)
        context = {
            "form": form,
            "draft": draft,
            "published": published,
            "versions": versions,
            "differences": [] if draft is None else VERSIONS.differences(published, draft),
            "backend_badge": backend_badge(assistant),
            "may_change": self.has_change_permission(request, assistant),
            "may_try": request.user.has_perm("tenants.view_tenant") and assistant.tenant.state == TenantState.ACTIVE,
        }
        return self._page(request, assistant, "versions", f"What {assistant} is", context)

    def _page(
        self, request: HttpRequest, assistant: Assistant, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "assistant": assistant,
            "tenant": assistant.tenant,
        }
        return TemplateResponse(request, f"admin/tenants/assistant/{name}.html", {**frame, **context})

    def _assistant(self, request: HttpRequest, assistant_id: Any) -> Assistant:
        assistant = Assistant.objects.select_related("tenant", "published_version").filter(pk=assistant_id).first()
        if assistant is None:
            raise Http404
        if not self.has_view_permission(request, assistant):
            raise PermissionDenied
        return assistant

    def _to_change(self, request: HttpRequest, assistant_id: Any) -> Assistant:
        assistant = self._assistant(request, assistant_id)
        if not self.has_change_permission(request, assistant):
            raise PermissionDenied
        return assistant

    def _posted(self, request: HttpRequest, assistant_id: Any) -> Assistant:
        """These deeds have no page of their own: whoever opens their address gets nothing."""
        if request.method != "POST":
            raise Http404
        return self._to_change(request, assistant_id)

    def _to_versions(self, assistant: Assistant) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_assistant_versions", args=[assistant.pk]))


def backend_badge(assistant: Assistant) -> Any:
    return badge(Backend(assistant.backend).label, "info" if assistant.backend == Backend.PLATFORM else "idle")


def _begun(assistant: Assistant) -> AgentVersion:
    """The draft, or one to begin with that was not saved yet: the published version's content, or a first one."""
    draft = VERSIONS.draft_of(assistant)
    if draft is not None:
        return draft
    published = VERSIONS.published_of(assistant)
    if published is None:
        return AgentVersion(assistant=assistant, instructions=first_instructions(assistant))
    return AgentVersion(assistant=assistant, **VERSIONS.content_of(published))


def _effect(assistant: Assistant) -> str:
    if assistant.backend == Backend.PLATFORM:
        return "It answers from the next message on, everywhere within two seconds."
    return "Visitors meet it when the assistant is switched to this platform."
