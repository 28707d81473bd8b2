"""Nothing in the admin can be written without the audit (A8)."""

import pytest
from django.apps import apps
from django.contrib import admin

from console.admin import AuditedAdmin

pytestmark = pytest.mark.django_db


def writable_pages(request):
    return [
        page
        for page in admin.site._registry.values()
        if page.has_add_permission(request)
        or page.has_change_permission(request)
        or page.has_delete_permission(request)
    ]


@pytest.mark.proof("A8")
def test_every_page_that_can_write_is_audited(rf, superuser):
    request = rf.get("/")
    request.user = superuser

    unaudited = [type(page).__name__ for page in writable_pages(request) if not isinstance(page, AuditedAdmin)]

    assert unaudited == []


@pytest.mark.proof("A8")
def test_the_audit_and_the_lock_outs_have_no_page_that_writes(rf, superuser):
    request = rf.get("/")
    request.user = superuser

    written = {page.model._meta.label for page in writable_pages(request)}

    assert "audit.AuditEvent" not in written
    assert not {label for label in written if label.startswith("axes.")}


@pytest.mark.proof("A8")
def test_the_admins_own_log_is_no_way_round():
    assert apps.get_model("admin.LogEntry") not in admin.site._registry
