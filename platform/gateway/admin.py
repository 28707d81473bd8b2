"""Operations tokens in the console: made, shown once, revoked; never changed."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from audit.actions import Action
from audit.record import Actor
from console.audited_admin import AuditedAdmin, Vocabulary
from console.reauthentication import PasswordAgainMixin
from gateway.models import OpsScope, OpsToken
from gateway.ops_tokens import issue_ops_token, revoke_ops_token


class OpsTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    scopes = forms.MultipleChoiceField(
        choices=OpsScope.choices, widget=forms.CheckboxSelectMultiple, help_text="What its holder may read."
    )

    class Meta:
        model = OpsToken
        fields = ("label", "scopes", "expires_at")

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This is in the past: choose a time to come, or leave it empty for no end.")
        return expires_at


@admin.register(OpsToken)
class OpsTokenAdmin(PasswordAgainMixin, AuditedAdmin):
    audit_actions = {OpsToken: Vocabulary(Action.OPS_TOKEN_CREATED, Action.OPS_TOKEN_CREATED, Action.OPS_TOKEN_REVOKED)}
    form = OpsTokenForm
    list_display = ("label", "prefix", "scopes_in_words", "created_by", "created_at", "expires_at", "revoked_at")
    list_select_related = ("created_by",)
    search_fields = ("label", "prefix")
    actions = ["revoke"]

    @admin.display(description="scopes")
    def scopes_in_words(self, token: OpsToken) -> str:
        return ", ".join(token.scopes)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        # What a token may read never changes: revoke it and make another.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        # A revoked token stays listed, so that an old log line can still be explained.
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        token, text = issue_ops_token(
            label=form.cleaned_data["label"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.cleaned_data["expires_at"],
            actor=Actor.of(request),
            created_by=request.user,
        )
        # The form's own object becomes the one that the deed made; its text lives only as long as this request.
        obj.__dict__.update(token.__dict__)
        request.META["ops_token_text"] = text

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A token has no related rows."""

    def response_add(
        self, request: HttpRequest, obj: models.Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Copy the token now",
            "token": obj,
            "text": request.META.pop("ops_token_text"),
            "opts": self.opts,
        }
        response = TemplateResponse(request, "gateway/ops_token_shown_once.html", context)
        return response

    @admin.action(description="Revoke the chosen tokens, for good", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: models.QuerySet[OpsToken]) -> None:
        for token in queryset:
            revoke_ops_token(token=token, actor=Actor.of(request))
        self.message_user(request, "Revoked. Machines with these tokens are refused from now on.", messages.SUCCESS)
