"""The base class of admin pages that only show: what was written down by the platform is read, filtered, and never changed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator

_COUNTED: Final = 10_000


class CappedPaginator(_Paginator):
    """Counts no further than 10,000 rows: on a table that only grows, an exact count would cost more than the page."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[: _COUNTED + 1].count())


class ReadOnlyAdmin(_ModelAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # Django's own title, “Select … to view”, says what everybody sees.
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def two_lines(first: str, second: str) -> SafeString:
    """What matters, and below it in smaller letters what goes with it."""
    return format_html('{}<span class="second">{}</span>', first, second)


def moment(at: datetime) -> SafeString:
    """Date and time (UTC) in a column."""
    date, time = at.strftime("%Y-%m-%d"), at.strftime("%H:%M:%S")
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), two_lines(date, time))
