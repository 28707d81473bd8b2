"""The history of checks has an end, or a few thousand keys would fill the disk."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from key_health.models import KeyCheck

KEPT_FOR: Final = timedelta(days=90)
_AT_ONCE: Final = 2000


def drop_old_checks() -> int:
    """Removes a slice of what is older than 90 days; called often, so that no single call is long. Gives the number removed."""
    old = (
        KeyCheck.objects.filter(at__lt=timezone.now() - KEPT_FOR).order_by("at").values_list("pk", flat=True)[:_AT_ONCE]
    )
    ids = list(old)
    return KeyCheck.objects.filter(pk__in=ids).delete()[0] if ids else 0
