"""Two people with one page open: who saves second is told what the first one changed, and takes nothing back unawares."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tenants.models import ConfigEpoch

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _ModelForm = forms.ModelForm


class SeenField(forms.CharField):
    """Travels with the page and is never a change of its own."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class SeenForm(_ModelForm):
    """A form whose page carries a digest of each value that it showed; values that are others by now are an error.

    Without it a field that somebody else changed meanwhile would count as changed back by whoever saves next. Templates of
    admin pages place it: `{{ adminform.form.seen }}`; Django's templates of inlines do so by themselves.
    """

    seen = SeenField()

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "seen":
            return "" if self.instance._state.adding else json.dumps(self._digests())
        return super().get_initial_for_field(field, field_name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen = cleaned.get("seen")
        if seen and not self.instance._state.adding:
            self._require_unchanged(seen)
        return cleaned

    def _require_unchanged(self, seen: str) -> None:
        now = self._digests()
        try:
            before = dict(json.loads(seen))
        except (ValueError, TypeError):
            before = {}
        changed = [str(self[name].label) for name, digest in now.items() if before.get(name) != digest]
        if changed:
            self.add_error(
                None,
                f"Somebody changed this meanwhile: {', '.join(changed)}. Nothing of yours is saved. Open the page again, look "
                "at it, and make your change once more.",
            )

    def _digests(self) -> dict[str, str]:
        """By name of field, of what is stored: the instance holds what was typed, once the form is being cleaned."""
        return {
            name: hashlib.sha256(str(self[name].initial).encode()).hexdigest()[:16]
            for name in self.base_fields
            if name != "seen" and name in self.fields
        }


class OneSaveAtATime(_ModelAdmin):
    """Whoever saves waits for others before the form is checked, so that what it finds still holds when it is written."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            ConfigEpoch.lock()
            return super().changeform_view(request, object_id, form_url, extra_context)


class SeenInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    """For rows whose form is a SeenForm: who may only look gets no column for it."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        may_write = self.has_change_permission(request, obj) or self.has_add_permission(request, obj)
        return fields if may_write else [name for name in fields if name != "seen"]
