"""Conversations in the console: whose, how many parts, when. What was said, and its title, nobody reads here.

They are deleted by erasing their visitor, by their tenant's retention, and by the visitors themselves; not from this page.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.filters import TenantFilter, WhenFilter
from audit.read_only import ReadOnlyAdmin, moment
from chat_server.models import Attachment, Thread, ThreadItem
from sessions_api.erasure_admin import ERASE_PERMISSION


@admin.register(Thread)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ["last_word", "tenant", "assistant", "visitor", "parts", "files"]
    list_filter = [("updated_at", WhenFilter), TenantFilter]
    list_select_related = ["tenant", "assistant"]
    # Draws the search field; `get_search_results` looks for whole references.
    search_fields = ["=visitor_ref"]
    search_help_text = "A visitor's reference, or the ID of a conversation (thr_…)."
    sortable_by: ClassVar[list[str]] = []
    fields: ClassVar[Any] = ["id", "tenant", "assistant", "whose", "begun", "last_word", "parts", "kinds", "files"]
    readonly_fields = fields
    ordering = ("-updated_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Thread]:
        rows: QuerySet[Thread] = super().get_queryset(request)
        # Bodies are no business of the console's, sealed as they are.
        return rows.defer("body", "key_token").annotate(
            item_count=_number_of(ThreadItem), file_count=_number_of(Attachment)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        return queryset.filter(**{"id" if term.startswith("thr_") else "visitor_ref": term}), False

    @admin.display(description="last message (UTC)")
    def last_word(self, thread: Thread) -> SafeString:
        return moment(thread.updated_at)

    @admin.display(description="begun (UTC)")
    def begun(self, thread: Thread) -> SafeString:
        return moment(thread.created_at)

    @admin.display(description="visitor")
    def visitor(self, thread: Thread) -> SafeString:
        return format_html('<a href="?q={}"><code>{}…</code></a>', thread.visitor_ref, thread.visitor_ref[:8])

    @admin.display(description="visitor")
    def whose(self, thread: Thread) -> SafeString:
        # Django hands no request to a column; who may not erase is refused by that page.
        url = reverse("admin:sessions_api_visitorerasure_erase", args=[thread.tenant_id])
        return format_html('<code>{0}</code> <a href="{1}?ref={0}">Erase this visitor…</a>', thread.visitor_ref, url)

    @admin.display(description="parts")
    def parts(self, thread: Any) -> int:
        return int(thread.item_count or 0)

    @admin.display(description="kinds of parts")
    def kinds(self, thread: Thread) -> str:
        counted = ThreadItem.objects.filter(thread=thread.pk).order_by("kind").values_list("kind")
        return ", ".join(f"{count} {kind}" for kind, count in counted.annotate(Count("pk"))) or "none"

    @admin.display(description="files")
    def files(self, thread: Any) -> int:
        return int(thread.file_count or 0)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_erase = request.user.has_perm(ERASE_PERMISSION)
        return [("visitor" if each == "whose" and not may_erase else each) for each in self.fields]


def _number_of(model: type[ThreadItem] | type[Attachment]) -> Subquery:
    """Of a conversation's rows, for those of one page alone."""
    counted = model._default_manager.filter(thread=OuterRef("pk")).order_by().values("thread").annotate(n=Count("pk"))
    return Subquery(counted.values("n"))
