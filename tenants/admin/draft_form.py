"""The form of a draft: lists as lines, the page's functions as JSON, and what is wrong said at its field."""

import json
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget

from tenants.admin.seen import SeenForm
from tenants.agent_tools import validate_client_tools, validate_vector_stores
from tenants.models import AgentVersion
from tenants.models.agent import MAX_INSTRUCTIONS
from tenants.versions import CONTENT

_EXAMPLE = (
    '[{"name": "show_cart", "description": "Opens the cart.", "parameters": {"type": "object", "properties": {}}}]'
)


class LineList(forms.CharField):
    """A list of texts, one a line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class Functions(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return json.dumps(value, indent=2, ensure_ascii=False) if value else ""
        return super().prepare_value(value)


class DraftForm(SeenForm):
    """Of the draft, or of one that is to be begun: then the instance has not been saved."""

    instructions = forms.CharField(
        max_length=MAX_INSTRUCTIONS,
        widget=AdminTextareaWidget(attrs={"rows": 14}),
        help_text=str(AgentVersion._meta.get_field("instructions").help_text),
    )
    vector_store_ids = LineList(
        label="Vector stores",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "vs_…", "spellcheck": "false"}),
        help_text="One a line: files of the tenant's project at OpenAI that the assistant may search.",
    )
    client_tools = Functions(
        label="Functions of the page",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": _EXAMPLE, "spellcheck": "false"}),
        help_text="JSON: a list of functions that the tenant's page offers, each with name, description and parameters (JSON "
        "schema). The page answers them with ChatKitPlatform.onClientTool.",
    )

    class Meta:
        model = AgentVersion
        fields = (*CONTENT, "note")

    def clean_instructions(self) -> str:
        text = str(self.cleaned_data["instructions"])
        # Browsers send lines with \r\n, which would be a difference to what was stored by a command.
        return text.replace("\r\n", "\n")

    def clean_vector_store_ids(self) -> list[str]:
        value: list[str] = self.cleaned_data["vector_store_ids"]
        validate_vector_stores(value)
        return value

    def clean_client_tools(self) -> list[Any]:
        value: list[Any] = self.cleaned_data["client_tools"] or []
        validate_client_tools(value)
        return value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.instance._state.adding and not cleaned.get("seen"):
            self.add_error(
                None,
                "Somebody began a draft meanwhile. Nothing of yours is saved. Open the page again, and look at it.",
            )
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in (*CONTENT, "note")}
