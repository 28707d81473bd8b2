"""What Django's error pages and mails may show of a request: never what a form marked as sensitive, or should have."""

import re
from typing import Any, Final

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

# Whatever a view marked or forgot to; behind a prefix too, as forms and formsets have them ("keys-0-api_key").
_SECRET_FIELD: Final = re.compile(r"api_?key|password|secret|token|plaintext", re.IGNORECASE)


class AlwaysHiding(SafeExceptionReporterFilter):
    """Django's own filter rests while DEBUG is on; a key that is pasted into a workstation's console is just as real."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        shown = super().get_post_parameters(request)
        return {
            name: self.cleansed_substitute if _SECRET_FIELD.search(name) else value for name, value in shown.items()
        }
