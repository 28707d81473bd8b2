"""A tenant's limits of chats that the platform serves, in its form: what is left empty shows the site's default."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

CHAT_FIELDS: Final = (
    "messages_per_minute",
    "messages_per_minute_per_visitor",
    "tokens_per_day",
    "tokens_per_day_per_visitor",
    "cost_per_month",
    "limit_text",
    "conversation_retention_days",
)


class ChatLimitFields(_ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, default in _defaults().items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = default


def _defaults() -> dict[str, str]:
    def unless_none(amount: int, none: str) -> str:
        return str(amount) if amount else none

    return {
        "messages_per_minute": str(settings.MESSAGES_PER_MINUTE_TENANT),
        "messages_per_minute_per_visitor": str(settings.MESSAGES_PER_MINUTE_VISITOR),
        "tokens_per_day": unless_none(settings.TOKENS_PER_DAY_TENANT, "none"),
        "tokens_per_day_per_visitor": unless_none(settings.TOKENS_PER_DAY_VISITOR, "none"),
        "cost_per_month": "none",
        "conversation_retention_days": unless_none(settings.CONVERSATION_RETENTION_DAYS, "for ever"),
    }
