import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from encryption.models import site_secret
from tenants.models import Tenant
from tenants.public_ids import is_genuine
from tenants.user_scope import open_user_scope
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db


def test_a_tenant_gets_a_genuine_public_id_and_a_secret_of_its_own():
    alder, birch = register("Alder"), register("Birch")

    assert is_genuine(alder.public_id, site_secret("public_id"))
    assert alder.public_id != birch.public_id
    assert open_user_scope(Tenant.objects.get(pk=alder.pk)) != open_user_scope(birch)
    assert alder.is_active


def test_registering_is_audited():
    tenant = register("Alder", fallback_text="Write to us.")

    event = AuditEvent.objects.get()
    assert (event.action, event.tenant_id, event.subject) == ("tenant:created", tenant.id, "Alder")
    assert event.changes["fields"] == ["fallback_text", "name", "slug"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"slug": "Alder"}, "slug"),
        ({"slug": "al der"}, "slug"),
        ({"upstream": "elsewhere"}, "upstream"),
        ({"fallback_url": "javascript:alert(1)"}, "fallback_url"),
        ({"fallback_url": 'https://a.example/"onload'}, "fallback_url"),
        ({"domain_verification_key": '"><script>'}, "domain_verification_key"),
        ({"sessions_per_minute": 0}, "sessions_per_minute"),
    ],
)
def test_what_a_tenant_can_not_have_is_refused(fields, wrong):
    with pytest.raises(ValidationError) as refusal:
        register("Alder", **fields)

    assert set(refusal.value.message_dict) == {wrong}
    assert not Tenant.objects.exists()
