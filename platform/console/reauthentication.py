"""The password again, shortly before something dangerous: keys, people, the password itself.

A session says when its password was last given (`password_given_at`); a log-in counts. Wrong passwords here are
counted and locked by axes exactly as at the log-in, so a stolen session can't be used to guess.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import authenticate
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from audit.actions import Action
from audit.record import Actor, Subject, record

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

GIVEN_AT: Final = "password_given_at"

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def is_recent(request: HttpRequest) -> bool:
    """The password of this session was given within REAUTHENTICATION_LIFETIME."""
    given_at = request.session.get(GIVEN_AT)
    if not isinstance(given_at, int | float):
        return False
    # A clock that was set back must not lengthen the time.
    return bool(0 <= time.time() - given_at < settings.REAUTHENTICATION_LIFETIME.total_seconds())


def mark_given(request: HttpRequest) -> None:
    request.session[GIVEN_AT] = time.time()


def password_again(view: V) -> V:
    """A view that wants the password again unless it was given just now."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_recent(request) else ask_again(request)

    return cast(V, guarded)


def ask_again(request: HttpRequest) -> HttpResponseRedirect:
    """To the password page and back. What came too late is not kept, since it may hold a key; a message says so."""
    if request.method in {"GET", "HEAD"}:
        return _to_password_page(request.get_full_path())
    minutes = int(settings.REAUTHENTICATION_LIFETIME.total_seconds() // 60)
    messages.warning(
        request,
        f"Nothing was changed: your password was last given more than {minutes} minutes ago. "
        "Give it again, then repeat what you did; for safety the form was not kept.",
    )
    return _to_password_page(_page_of_the_form(request))


def _to_password_page(following: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('reauthenticate')}?{urlencode({'next': following})}")


def _page_of_the_form(request: HttpRequest) -> str:
    """Where the form that was sent stands: the referring page of this site, else the address it was sent to."""
    referer = request.headers.get("Referer", "")
    parts = urlsplit(referer)
    if parts.netloc != request.get_host():
        return request.get_full_path()
    return safe_next(request, f"{parts.path}?{parts.query}" if parts.query else parts.path)


def safe_next(request: HttpRequest, following: str) -> str:
    """The address itself if it is a page of this site, else the console's first page: never a redirect elsewhere."""
    ours = url_has_allowed_host_and_scheme(following, allowed_hosts=None, require_https=request.is_secure())
    return following if ours and following.startswith("/") else reverse("admin:index")


class PasswordAgainMixin(admin.ModelAdmin if not TYPE_CHECKING else ModelAdmin[models.Model]):  # type: ignore[misc]
    """For a ModelAdmin: the chosen views and bulk actions want the password again, on GET and on POST.

    For a finer rule override `needs_password_again`.
    """

    password_again_views: ClassVar[frozenset[str]] = frozenset({"add", "change", "delete"})
    password_again_actions: ClassVar[frozenset[str]] = frozenset({"delete_selected"})

    def needs_password_again(self, request: HttpRequest, view: str, object_id: str | None = None) -> bool:
        """`view` is "add", "change", "delete" or the name of a bulk action. Those who may only look on aren't asked."""
        if view == "change" and not self.has_change_permission(request):
            return False
        return view in self.password_again_views or view in self.password_again_actions

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = "add" if object_id is None else "change"
        if self.needs_password_again(request, view, object_id) and not is_recent(request):
            return ask_again(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        if self.needs_password_again(request, "delete", object_id) and not is_recent(request):
            return ask_again(request)
        return super().delete_view(request, object_id, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        action = request.POST.get("action", "") if request.method == "POST" else ""
        if action and self.needs_password_again(request, action) and not is_recent(request):
            return ask_again(request)
        return super().changelist_view(request, extra_context)


class PasswordForm(forms.Form):
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True})
    )


@method_decorator(
    (
        never_cache,
        sensitive_post_parameters("password"),
        csrf_protect,
        staff_member_required(login_url="admin:login"),
    ),
    name="dispatch",
)
class ReauthenticationView(View):
    """GET shows the form; POST checks the password of the person who is logged in and goes on to `next`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, PasswordForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        user = request.user
        confirmed = authenticate(request, username=user.get_username(), password=form.cleaned_data["password"])
        if confirmed is None or confirmed.pk != user.pk:
            self._record(request, Action.REAUTHENTICATION_FAILED)
            form.add_error("password", "That is not your password.")
            return self._page(request, form)
        AxesProxyHandler.reset_attempts(username=user.get_username(), ip_address=request.axes_ip_address)  # type: ignore[attr-defined]
        # More may be done from now on, so whoever knows the session's old key must not gain by it.
        request.session.cycle_key()
        mark_given(request)
        self._record(request, Action.REAUTHENTICATED)
        return HttpResponseRedirect(safe_next(request, request.POST.get("next", "")))

    def _page(self, request: HttpRequest, form: PasswordForm) -> HttpResponse:
        given = request.POST if request.method == "POST" else request.GET
        context = {
            **admin.site.each_context(request),
            "title": "Your password again",
            "form": form,
            "next": safe_next(request, given.get("next", "")),
            "minutes": int(settings.REAUTHENTICATION_LIFETIME.total_seconds() // 60),
        }
        return TemplateResponse(request, "console/reauthenticate.html", context)

    def _record(self, request: HttpRequest, action: Action) -> None:
        with transaction.atomic():
            record(
                action,
                actor=Actor.of(request),
                subject=Subject(type="user", id=str(request.user.pk), label=request.user.get_username()),
            )


reauthenticate = ReauthenticationView.as_view()
