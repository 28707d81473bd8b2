"""The prompt buttons of an empty chat: a list of `{"label": …, "prompt": …}`."""

from typing import Any

from django.core.exceptions import ValidationError

MOST = 6
LONGEST = {"label": 60, "prompt": 500}


def validate_prompts(value: Any) -> None:
    if not isinstance(value, list) or len(value) > MOST:
        raise ValidationError(f"Give a list of at most {MOST} prompts.")
    for prompt in value:
        if not isinstance(prompt, dict) or set(prompt) != set(LONGEST):
            raise ValidationError("Each prompt has exactly a “label” and a “prompt”.")
        for name, longest in LONGEST.items():
            text = prompt[name]
            if not isinstance(text, str) or not text.strip() or len(text) > longest:
                raise ValidationError(f"A {name} is a text of 1 to {longest} characters.")
