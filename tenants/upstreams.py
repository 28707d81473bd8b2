"""The places that an operator allows tenants' keys to be sent to, by name."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError


@dataclass(frozen=True, slots=True)
class UpstreamChoice:
    """One allowed OpenAI: `base_url` without a trailing slash, and the address of its chat component."""

    name: str
    base_url: str
    chatkit_js: str


def upstream(name: str) -> UpstreamChoice:
    """Raises KeyError for a name that the operator no longer allows."""
    return UpstreamChoice(name, settings.OPENAI_BASE_URLS[name].rstrip("/"), settings.CHATKIT_JS_URLS[name])


def default_upstream() -> str:
    return next(iter(settings.OPENAI_BASE_URLS))


def upstream_choices() -> list[tuple[str, str]]:
    return [(name, f"{name} ({url})") for name, url in settings.OPENAI_BASE_URLS.items()]


def validate_upstream(name: str) -> None:
    if name not in settings.OPENAI_BASE_URLS:
        allowed = ", ".join(settings.OPENAI_BASE_URLS)
        raise ValidationError(
            f"The operator allows these OpenAI addresses: {allowed}. Others go into OPENAI_BASE_URLS first."
        )
