"""The history of a row is what the audit knows of it: who, when, what, also what was done by command or by the worker."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tenants.models import Tenant

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


class AuditHistory(_ModelAdmin):
    """Leads to the audit, filtered; who may not see the audit gets Django's own list of changes made by forms."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if (
            obj is None
            or not request.user.has_perm("audit.view_auditevent")
            or not self.has_view_permission(request, obj)
        ):
            return super().history_view(request, object_id, extra_context)
        of_row = {"tenant": str(obj.pk)} if isinstance(obj, Tenant) else {"q": str(obj.pk)}
        return HttpResponseRedirect(f"{reverse('admin:audit_auditevent_changelist')}?{urlencode(of_row)}")
