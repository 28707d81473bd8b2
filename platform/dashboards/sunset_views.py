"""The sunset console: every assistant on a workflow, and the way off it: prepare, try, publish, switch, roll back."""

import uuid
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit.record import Actor
from console.reauthentication import password_again
from dashboards.sunset import Stranded, countdown, counts, hosted_assistants, stranded, switched_assistants
from dashboards.sunset_bulk import MOST, Deed, Job, drop_job, job_of, keep_job, plan_job, take_step
from tenants.models import AgentVersion

PAGE: Final = 25
_MAY_LOOK: Final = "tenants.view_assistant"
_MAY_ACT: Final = "tenants.change_assistant"


class ModelForm(forms.Form):
    """The model of drafts that are begun; what was published names its own."""

    model = forms.CharField(
        max_length=100,
        validators=AgentVersion._meta.get_field("model").validators,
        help_text="Any of OpenAI's Responses API that the tenants' keys may use. Each draft can be changed on its own page.",
    )


@require_GET
@permission_required(_MAY_LOOK, raise_exception=True)
def sunset(request: HttpRequest) -> HttpResponse:
    """Query: `q` (part of a tenant's or assistant's name), `page`, `switched` (page of those that are switched)."""
    search = request.GET.get("q", "").strip()[:80]
    numbers = counts()
    hosted = Paginator(hosted_assistants(search).values_list("pk", flat=True), PAGE).get_page(request.GET.get("page"))
    switched = Paginator(switched_assistants(search).values_list("pk", flat=True), PAGE).get_page(
        request.GET.get("switched")
    )
    # Both lists together, so that their details are fetched once.
    details = {each.assistant.pk: each for each in stranded([*hosted, *switched])}
    context = {
        "countdown": countdown(),
        "counts": numbers,
        "search": search,
        "hosted": hosted,
        "hosted_rows": _in_order(hosted, details),
        "switched": switched,
        "switched_rows": _in_order(switched, details),
        "job": job_of(request),
        "most": MOST,
        "serves_chat": settings.SERVE_CHAT,
        "deeds": [Deed.PREPARE, Deed.PUBLISH, Deed.SWITCH],
        "may_act": request.user.has_perm(_MAY_ACT),
        "may_try": request.user.has_perm("tenants.view_tenant"),
    }
    return _page(request, "sunset", "The sunset of hosted workflows", context)


@require_POST
@permission_required(_MAY_ACT, raise_exception=True)
def sunset_choose(request: HttpRequest) -> HttpResponse:
    """`one` is "deed:id" of a row's own button; else `deed` with `chosen` ids, or with `every` and the search `q`."""
    named, _, single = request.POST.get("one", "").partition(":")
    wanted = named or request.POST.get("deed", "")
    if wanted not in Deed.values:
        messages.error(request, "Choose what is to be done.")
        return _to("sunset")
    deed = Deed(wanted)
    chosen = _ids([single] if single else request.POST.getlist("chosen"))
    if not single and request.POST.get("every"):
        rows = switched_assistants if deed == Deed.ROLL_BACK else hosted_assistants
        chosen = list(rows(request.POST.get("q", "")[:80]).values_list("pk", flat=True)[:MOST])
    if not chosen:
        messages.warning(request, "Nothing was chosen: tick the assistants that you mean.")
        return _to("sunset")
    plan_job(request, deed, chosen)
    return _to("sunset-bulk")


@permission_required(_MAY_ACT, raise_exception=True)
@password_again
def sunset_bulk(request: HttpRequest) -> HttpResponse:
    """GET shows what would be done or how far it is; each POST does the next few, or drops the job (`drop`)."""
    job = job_of(request)
    if job is None:
        return _to("sunset")
    if request.method != "POST":
        return _bulk_page(request, job, ModelForm(initial={"model": settings.CHAT_DEFAULT_MODEL}))
    if request.POST.get("job") != job.id:
        messages.warning(request, "Nothing was done: another choice was made meanwhile, and this is it.")
        return _to("sunset-bulk")
    if request.POST.get("drop"):
        drop_job(request)
        return _to("sunset")
    if job.deed == Deed.PREPARE and not job.is_begun:
        form = ModelForm(request.POST)
        if not form.is_valid():
            return _bulk_page(request, job, form)
        job.model = form.cleaned_data["model"]
    take_step(job, Actor.of(request))
    keep_job(request, job)
    return _to("sunset-bulk")


def _bulk_page(request: HttpRequest, job: Job, form: ModelForm) -> HttpResponse:
    rows = [] if job.is_begun else stranded([uuid.UUID(each) for each in job.left])
    blocks = {Deed.SWITCH: _blocks_switch, Deed.PUBLISH: _blocks_publish}.get(job.deed, _blocks_nothing)
    blocked = [(row, why) for row in rows if (why := blocks(row))]
    context = {
        "job": job,
        "rows": rows,
        "blocked": blocked,
        "free": len(rows) - len(blocked),
        "form": form if job.deed == Deed.PREPARE and not job.is_begun else None,
        "countdown": countdown(),
    }
    return _page(
        request, "sunset_bulk", f"{job.deed.label}: {job.total} assistant{'s' if job.total != 1 else ''}", context
    )


def _blocks_switch(row: Stranded) -> list[str]:
    return [f"{check.label}: {check.text}" for check in row.blockers]


def _blocks_publish(row: Stranded) -> list[str]:
    return [] if row.to_try is not None else ["There is no draft to publish: prepare it first."]


def _blocks_nothing(row: Stranded) -> list[str]:
    return []


def _in_order(ids: Any, details: dict[uuid.UUID, Stranded]) -> list[Stranded]:
    return [details[each] for each in ids if each in details]


def _ids(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _to(name: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(name))


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    frame = {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, f"dashboards/{name}.html", {**frame, **context})
