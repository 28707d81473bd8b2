import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.assistants import delete_assistant, let_assistant_use_key
from tenants.models import ApiKey, Assistant, AssistantKey
from tests.tenants.cast import give_assistant, give_key, register

pytestmark = pytest.mark.django_db


def default_of(tenant):
    return Assistant.objects.get(tenant=tenant, is_default=True).slug


def test_the_first_assistant_is_the_default_one_and_a_new_default_takes_over():
    tenant = register()
    give_assistant(tenant, slug="first")
    give_assistant(tenant, slug="second")
    assert default_of(tenant) == "first"

    give_assistant(tenant, slug="third", is_default=True)

    assert default_of(tenant) == "third"
    event = AuditEvent.objects.get(action="assistant:changed")
    assert event.subject == "First"
    assert event.changes["values"] == {"is_default": {"old": True, "new": False}}


def test_a_deleted_default_passes_the_flag_on():
    tenant = register()
    first = give_assistant(tenant, slug="first")
    give_assistant(tenant, slug="second")

    delete_assistant(assistant=first, actor=SYSTEM)

    assert default_of(tenant) == "second"
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"assistant:deleted", "assistant:changed"}


@pytest.mark.parametrize("version", ["latest", "1 2", "v1;"])
def test_a_version_that_fails_later_is_refused_now(version):
    with pytest.raises(ValidationError) as refusal:
        give_assistant(register(), workflow_version=version)

    assert "newest" in str(refusal.value)


def test_a_key_of_another_tenant_is_refused_by_the_database():
    alder, birch = register("Alder"), register("Birch")
    assistant, foreign = give_assistant(alder), give_key(birch)

    with pytest.raises(IntegrityError, match="one tenant"), transaction.atomic():
        let_assistant_use_key(assistant=assistant, key=foreign, actor=SYSTEM)


def test_a_pair_can_not_be_moved_to_a_key_of_another_tenant():
    alder, birch = register("Alder"), register("Birch")
    give_assistant(alder, give_key(alder))
    foreign = give_key(birch)

    with pytest.raises(IntegrityError, match="one tenant"), transaction.atomic():
        AssistantKey.objects.update(key=foreign)


@pytest.mark.parametrize("model", [ApiKey, Assistant])
def test_neither_a_key_nor_an_assistant_moves_to_another_tenant(model):
    alder, birch = register("Alder"), register("Birch")
    give_assistant(alder, give_key(alder))

    with pytest.raises(IntegrityError, match="never moves"), transaction.atomic():
        model.objects.update(tenant=birch)


def test_a_pair_may_still_be_ranked_anew():
    tenant = register()
    give_assistant(tenant, give_key(tenant))

    assert AssistantKey.objects.update(position=2) == 1
