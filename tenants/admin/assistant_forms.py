"""The forms of an assistant: prompts as lines of text, one default per tenant, keys of its own tenant only."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.utils import timezone

from tenants.admin.of_tenant import OfTenantForm
from tenants.admin.seen import SeenForm
from tenants.file_types import FILE_TYPES
from tenants.models import Assistant, AssistantKey, Verdict
from tenants.prompts import MOST, validate_prompts


class PromptLines(forms.CharField):
    """Read as it is shown again, so that neither a browser's ends of lines nor blanks round the bar are a change."""

    def to_python(self, value: Any) -> str:
        return prompts_as_lines(lines_as_prompts(super().to_python(value) or ""))


class AssistantForm(OfTenantForm, SeenForm):
    prompt_lines = PromptLines(
        label="Prompts",
        required=False,
        strip=False,
        widget=AdminTextareaWidget(attrs={"rows": 4, "placeholder": "Opening hours | When are you open?"}),
        help_text=f"Buttons of an empty chat, one a line, at most {MOST}: “Label | Message that it sends”. "
        "Without the bar the label itself is sent.",
    )

    accepted_file_types = forms.MultipleChoiceField(
        label="Types of files",
        required=False,
        choices=[(each, each) for each in FILE_TYPES],
        widget=forms.CheckboxSelectMultiple,
        help_text="Only of assistants that this platform serves. None chosen: all of these.",
    )

    class Meta:
        model = Assistant
        fields = ()  # the fieldsets of the admin name them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["prompt_lines"] = prompts_as_lines(self.instance.prompts)

    def clean_prompt_lines(self) -> str:
        lines = str(self.cleaned_data["prompt_lines"])
        prompts = lines_as_prompts(lines)
        validate_prompts(prompts)
        self.instance.prompts = prompts
        return lines

    def clean_is_default(self) -> bool:
        chosen = bool(self.cleaned_data["is_default"])
        if self.initial.get("is_default") and not chosen and not self.instance._state.adding:
            raise forms.ValidationError(
                "A tenant has one default assistant: make another one the default, and this one no longer is."
            )
        return chosen

    def _get_validation_exclusions(self) -> set[str]:
        # Another default is no error: it hands the flag over when this one is saved (make_room_for_default).
        return super()._get_validation_exclusions() | {"is_default"}


class PairForm(SeenForm):
    class Meta:
        model = AssistantKey
        fields = ("key", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = self.fields["key"]
        if isinstance(key, forms.ModelChoiceField) and not self.instance._state.adding and self.instance.key.is_retired:
            # A pair with a retired key can be looked at and removed, and must not block the rest of the page.
            key.queryset = type(self.instance.key).objects.filter(pk=self.instance.key_id)


class PairFormSet(forms.models.BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        """Writes only what was changed: a verdict that a worker wrote meanwhile stays, unless it was on another key."""
        pair = form.instance
        fields = list(form.changed_data)
        if "key" in fields:
            pair.verdict, pair.verdict_since, pair.checked_at = Verdict.UNCHECKED, timezone.now(), None
            fields += ["verdict", "verdict_since", "checked_at"]
        pair.save(update_fields=fields)
        return pair


def prompts_as_lines(prompts: Any) -> str:
    lines = [
        prompt["label"] if prompt["label"] == prompt["prompt"] else f"{prompt['label']} | {prompt['prompt']}"
        for prompt in prompts or []
    ]
    return "\n".join(lines)


def lines_as_prompts(text: str) -> list[dict[str, str]]:
    prompts = []
    for line in text.splitlines():
        label, bar, prompt = (part.strip() for part in line.partition("|"))
        if label or bar:
            prompts.append({"label": label, "prompt": prompt if bar else label})
    return prompts
