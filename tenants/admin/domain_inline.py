"""Allowed domains on the tenant's page: typed as people type them, stored parsed, shown as browsers write them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from tenants.admin.seen import SeenForm, SeenInline
from tenants.domains import find_domain, today, write_rule
from tenants.hosts import EntryProblem
from tenants.models import AllowedDomain
from tenants.origin_entries import (
    ALLOW_HTTP,
    ALLOW_SHARED,
    EntryRefused,
    is_for_development,
    is_shared,
    parse_entry,
    require_sensible_expiry,
)
from tenants.origins import OriginRule


class DomainForm(SeenForm):
    entry = forms.CharField(
        label="Website",
        max_length=300,
        widget=forms.TextInput(
            attrs={
                "class": "vTextField",
                "placeholder": "shop.example.com",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    expires_on = forms.DateField(
        label="Last day (patterns)", required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    allow_http = forms.BooleanField(label=ALLOW_HTTP, required=False)
    allow_shared = forms.BooleanField(label=ALLOW_SHARED, required=False)

    class Meta:
        model = AllowedDomain
        fields = ("domain_key", "listed_at_openai")
        labels = {"listed_at_openai": "On OpenAI's list since"}
        widgets = {
            "domain_key": forms.TextInput(
                attrs={
                    "class": "vTextField",
                    "placeholder": "domain_pk_…",
                    "autocapitalize": "off",
                    "spellcheck": "false",
                }
            ),
            "listed_at_openai": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            rule = self.instance.rule
            self.initial.update(
                entry=self.instance.entry,
                expires_on=rule.expires_on,
                allow_http=is_for_development(rule),
                allow_shared=is_shared(rule),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if {"entry", "expires_on"} <= set(cleaned):
            try:
                write_rule(self.instance, self._rule(cleaned))
            except EntryRefused as refusal:
                self.add_error("expires_on" if refusal.reason is EntryProblem.EXPIRY else "entry", refusal.message)
            else:
                cleaned["entry"] = self.instance.entry
        return cleaned

    def _rule(self, cleaned: dict[str, Any]) -> OriginRule:
        rule = parse_entry(
            cleaned["entry"],
            allow_http=bool(cleaned.get("allow_http")),
            allow_shared=bool(cleaned.get("allow_shared")),
            expires_on=cleaned["expires_on"],
        )
        # A pattern that is over stays as it is while something else on the page is saved.
        if {"entry", "expires_on"} & set(self.changed_data):
            require_sensible_expiry(rule, today=today())
        return rule


class DomainFormSet(forms.models.BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            if (not form.has_changed() and form.instance._state.adding) or form in self.deleted_forms or form.errors:
                continue
            entry = form.instance.entry
            if entry in seen:
                form.add_error("entry", ValidationError("This website is on the list already. Remove one of the two."))
            elif self._is_taken(form.instance):
                form.add_error(
                    "entry", ValidationError("This website is on the list already: open the page again to see it.")
                )
            seen.add(entry)

    def _is_taken(self, domain: AllowedDomain) -> bool:
        """Whether another row still has this entry when this one is written: rows that are there come first, new ones last."""
        if self.instance._state.adding:
            return False
        holder = find_domain(self.instance, domain.rule)
        if holder is None or holder.pk == domain.pk:
            return False
        return not (domain._state.adding and holder in (form.instance for form in self.initial_forms))


class DomainInline(SeenInline):
    model = AllowedDomain
    form = DomainForm
    formset = DomainFormSet
    fields = ("entry", "expires_on", "allow_http", "allow_shared", "domain_key", "listed_at_openai", "seen")
    template = "admin/tenants/tenant/domains.html"
    verbose_name = "website"
    verbose_name_plural = "websites that may open the chat"
    extra = 0

    # Who may not change the list is shown these in place of the form's boxes of the same names. In words: Django's green
    # tick would stand for what is risky, and its red cross for what is not.
    @admin.display(description=ALLOW_HTTP)
    def allow_http(self, domain: AllowedDomain) -> str:
        return "yes" if is_for_development(domain.rule) else "no"

    @admin.display(description=ALLOW_SHARED)
    def allow_shared(self, domain: AllowedDomain) -> str:
        return "yes" if is_shared(domain.rule) else "no"

    def get_extra(self, request: Any, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None and obj.domains.exists() else 1
