"""A state as a badge: text, a colour and a shape, so that nobody needs to see the colour."""

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.cards import Tone

# By the values of the states themselves: verdicts, tenants' states, outcomes. Whatever isn't named here is idle.
_TONES: Final[dict[str, Tone]] = {
    **dict.fromkeys(("healthy", "active", "granted", "holds"), Tone.OK),
    **dict.fromkeys(("degraded", "throttled", "upstream_down", "suspended", "refused"), Tone.WARN),
    **dict.fromkeys(
        (
            "invalid_key",
            "missing_scope",
            "workflow_missing",
            "model_missing",
            "billing",
            "deleting",
            "failed",
            "broken",
        ),
        Tone.BAD,
    ),
}


def badge(value: str, label: str = "", *, title: str = "", tone: Tone | None = None) -> SafeString:
    """For `list_display` and templates: `badge(key.verdict, key.get_verdict_display())`."""
    return format_html(
        '<span class="badge badge-{} tone-{}" title="{}">{}</span>',
        value,
        tone or _TONES.get(value, Tone.IDLE),
        title,
        label or value,
    )
