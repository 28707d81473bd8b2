"""Allowed domains on the tenant's page: typed as people type them, stored parsed, shown as browsers write them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from tenants.admin.seen import SeenForm, SeenInline
from tenants.domains import find_domain, write_rule
from tenants.models import AllowedDomain
from tenants.origins import ALLOW_HTTP, EntryRefused, parse_entry


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
    allow_http = forms.BooleanField(label=ALLOW_HTTP, required=False)

    class Meta:
        model = AllowedDomain
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial.update(entry=self.instance.entry, allow_http=_was_allowed_by_choice(self.instance))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "entry" in cleaned:
            try:
                write_rule(self.instance, parse_entry(cleaned["entry"], allow_http=bool(cleaned.get("allow_http"))))
            except EntryRefused as refusal:
                self.add_error("entry", refusal.message)
            else:
                cleaned["entry"] = self.instance.entry
        return cleaned


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
    template = "admin/tenants/tenant/domains.html"
    verbose_name = "website"
    verbose_name_plural = "websites that may open the chat"
    extra = 0

    def get_extra(self, request: Any, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None and obj.domains.exists() else 1


def _was_allowed_by_choice(domain: AllowedDomain) -> bool:
    """Whether this entry could not be typed again without the explicit choice."""
    try:
        parse_entry(domain.entry)
    except EntryRefused:
        return True
    return False
