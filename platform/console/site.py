"""The one admin site."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from console.cards import cards_of, deeds_of
from console.passwords import audited_password_change
from console.reauthentication import ask_again, is_recent


class ConsoleSite(AdminSite):
    site_header = "ChatKit platform"
    site_title = "ChatKit platform"
    index_title = "Tenants and their health"
    enable_nav_sidebar = True
    # The platform's root shows nothing to people; “View site” would lead nowhere.
    site_url = None

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"cards": cards_of(request), "deeds": deeds_of(request), **(extra_context or {})})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        # Its form asks for the old password without counting wrong ones, so it stands behind the page that does.
        if not is_recent(request):
            return ask_again(request)
        change = super().password_change
        return audited_password_change(request, str(request.user.pk), lambda: change(request, extra_context))
