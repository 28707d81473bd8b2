"""The one admin site."""

from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.cards import cards_of, deeds_of
from console.login_limit import limited_login
from console.passwords import audited_password_change
from console.reauthentication import ask_again, is_recent

_FIRST: Final = ("tenants", "key_health", "sessions_api", "audit", "gateway")


class ConsoleSite(AdminSite):
    site_header = "ChatKit platform"
    site_title = "ChatKit platform"
    index_title = "Tenants and their health"
    enable_nav_sidebar = True
    # The platform's root shows nothing to people; “View site” would lead nowhere.
    site_url = None

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"cards": cards_of(request), "deeds": deeds_of(request), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What an operator comes for first, people and framework last; otherwise by name as Django sorts."""
        apps = super().get_app_list(request, app_label)
        return sorted(
            apps, key=lambda app: _FIRST.index(app["app_label"]) if app["app_label"] in _FIRST else len(_FIRST)
        )

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        login = super().login
        if request.method != "POST":
            return login(request, extra_context)
        return limited_login(request, lambda: login(request, extra_context))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        # Its form asks for the old password without counting wrong ones, so it stands behind the page that does.
        if not is_recent(request):
            return ask_again(request)
        change = super().password_change
        return audited_password_change(request, str(request.user.pk), lambda: change(request, extra_context))
