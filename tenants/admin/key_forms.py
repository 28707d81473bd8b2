"""The forms that take a key: it goes in, is read once, and never comes out, not even into the form that is shown again."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict

from encryption.secret import Secret
from tenants.admin.of_tenant import OfTenantForm
from tenants.admin.seen import SeenForm
from tenants.key_text import KeyRefused, read_key_text
from tenants.models import ApiKey

if TYPE_CHECKING:
    _Form = forms.BaseForm
else:
    _Form = object

HELP = (
    "“sk-proj-…” or “sk-svcacct-…”, from platform.openai.com → API keys, of the project that owns the workflow. A service "
    "account's key is best: it outlives the person who made it. Stored encrypted; nobody can read it here again."
)


class KeyField(forms.CharField):
    """Cleans to a Secret; the text that was typed is in no error, no initial value and no rendered widget."""

    widget = forms.PasswordInput(
        render_value=False,
        attrs={
            "autocomplete": "off",
            "spellcheck": "false",
            "class": "vTextField",
            "data-1p-ignore": "",
            "data-lpignore": "true",
        },
    )

    def __init__(self) -> None:
        super().__init__(
            label="API key", strip=False, required=True, help_text=HELP, error_messages={"required": "Paste the key."}
        )

    def clean(self, value: Any) -> Any:
        try:
            return read_key_text(value if isinstance(value, str) else "")
        except KeyRefused as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.reason) from None


class TakesKey(_Form):
    """For forms with a field `api_key`: hands its Secret out, and keeps it out of `cleaned_data` and `data`."""

    _secret: Secret | None = None

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # the stubs lack it
        self._secret = self.cleaned_data.pop("api_key", None)
        if "api_key" in self.data:
            kept = QueryDict(mutable=True)
            kept.update(self.data)
            kept["api_key"] = "taken"
            self.data = kept

    @property
    def secret(self) -> Secret:
        if self._secret is None:
            raise ValueError("The form holds no valid key.")
        return self._secret


class NewKeyForm(OfTenantForm, TakesKey, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    api_key = KeyField()

    class Meta:
        model = ApiKey
        fields = ("label", "organization", "project")


class KeyChangeForm(OfTenantForm, SeenForm):
    class Meta:
        model = ApiKey
        fields = ("label", "organization", "project")


class ReplaceKeyForm(TakesKey, forms.Form):
    api_key = KeyField()
