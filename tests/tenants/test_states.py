import pytest

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.models import ConfigEpoch, TenantState
from tenants.signals import access_withdrawn
from tenants.states import StateRefused, resume_tenant, start_deletion, suspend_tenant
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdrawn():
    reasons = []

    def hear(*, tenant_id, key_id, assistant_id, reason, **_):
        reasons.append((tenant_id, key_id, assistant_id, reason))

    access_withdrawn.connect(hear)
    yield reasons
    access_withdrawn.disconnect(hear)


def test_suspending_withdraws_every_session_and_raises_the_epoch(withdrawn):
    tenant, before = register(), ConfigEpoch.current()

    suspended = suspend_tenant(tenant=tenant, actor=SYSTEM)

    assert suspended.state == TenantState.SUSPENDED
    assert withdrawn == [(tenant.id, None, None, "tenant_suspended")]
    assert ConfigEpoch.current() > before
    assert AuditEvent.objects.get(action="tenant:suspended").changes["values"] == {
        "state": {"old": "active", "new": "suspended"}
    }


def test_suspending_twice_is_one_event(withdrawn):
    tenant = register()

    suspend_tenant(tenant=tenant, actor=SYSTEM)
    suspend_tenant(tenant=tenant, actor=SYSTEM)

    assert AuditEvent.objects.filter(action="tenant:suspended").count() == 1
    assert len(withdrawn) == 1


def test_a_suspended_tenant_can_be_resumed(withdrawn):
    tenant = suspend_tenant(tenant=register(), actor=SYSTEM)

    assert resume_tenant(tenant=tenant, actor=SYSTEM).is_active


@pytest.mark.parametrize("deed", [suspend_tenant, resume_tenant])
def test_there_is_no_way_back_from_deletion(deed, withdrawn):
    tenant = start_deletion(tenant=register(), actor=SYSTEM)

    with pytest.raises(StateRefused):
        deed(tenant=tenant, actor=SYSTEM)

    assert withdrawn == [(tenant.id, None, None, "tenant_deleted")]
