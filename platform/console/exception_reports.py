"""What Django's error pages and mails may show of a request: never what a form marked as sensitive."""

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class AlwaysHiding(SafeExceptionReporterFilter):
    """Django's own filter rests while DEBUG is on; a key that is pasted into a workstation's console is just as real."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True
