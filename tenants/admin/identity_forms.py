"""Signed visitors in forms: the mode with its algorithm and claims, a new secret, a public key that is pasted."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError

from tenants.identity_claims import ClaimsRefused, read_claim_names
from tenants.identity_keys import require_key_for
from tenants.models import IdentityKey, Tenant
from tenants.verifying_keys import PublicKey, PublicKeyRefused, read_public_key

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Tenant]
else:
    _ModelForm = object


class ClaimsField(forms.CharField):
    """Cleans to a list of names, and shows one as a line of text."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        try:
            return read_claim_names(super().to_python(value) or "")
        except ClaimsRefused as refusal:
            raise ValidationError(str(refusal), code="claims") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


class IdentityFields(_ModelForm):
    """Mixin for the tenant's form: the fields on signed visitors, and what must hold before tokens are enforced."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "identity_claims" in self.fields:
            field = Tenant._meta.get_field("identity_claims")
            self.fields["identity_claims"] = ClaimsField(
                label=str(field.verbose_name).capitalize(),
                required=False,
                help_text=field.help_text,
                widget=AdminTextareaWidget(attrs={"rows": 2, "placeholder": "plan, locale", "spellcheck": "false"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        mode, algorithm = cleaned.get("identity_mode"), cleaned.get("identity_algorithm")
        # Only who changes it is asked: a tenant whose last key was retired can still be edited otherwise.
        if mode and algorithm and {"identity_mode", "identity_algorithm"} & set(self.changed_data):
            try:
                require_key_for(self.instance, mode=mode, algorithm=algorithm)
            except ValidationError as refusal:
                self.add_error("identity_mode", refusal)
        return cleaned


class LabelForm(forms.Form):
    label = forms.CharField(
        max_length=80,
        validators=IdentityKey._meta.get_field("label").validators,
        help_text="To tell keys apart, for instance “website, 2026”.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


class Unshown(forms.Textarea):
    """Never shows again what was pasted: by mistake it may be a private key."""

    def format_value(self, value: Any) -> str:
        return ""


class PublicKeyField(forms.CharField):
    """Cleans to a PublicKey."""

    widget = Unshown(
        attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false", "autocomplete": "off"},
    )

    def clean(self, value: Any) -> Any:
        try:
            return read_public_key(super().clean(value))
        except PublicKeyRefused as refusal:
            raise ValidationError(str(refusal), code="public_key") from None


class PublicKeyForm(LabelForm):
    public_key = PublicKeyField(
        label="Public key",
        help_text="Ed25519 (EdDSA) or RSA of at least 2,048 bits (RS256), as PEM. The private half stays on the tenant's server.",
    )

    @property
    def key(self) -> PublicKey:
        return cast(PublicKey, self.cleaned_data["public_key"])
