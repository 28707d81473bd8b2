import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.registry import sealed_columns
from encryption.secret import Secret
from encryption.vault import SecretError, open_token
from tenants.assistants import add_assistant
from tenants.credentials import credentials_since
from tenants.keys import KeyIsRetired, open_key, replace_key, retire_key, same_elsewhere
from tenants.models import ApiKey, AssistantKey, ConfigEpoch, Tenant, Verdict
from tenants.signals import access_withdrawn, key_changed
from tenants.states import suspend_tenant
from tenants.user_scope import open_user_scope
from tests.tenants.cast import give_assistant, give_key, key_text, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced():
    heard = []

    def hear(**arguments):
        heard.append({name: value for name, value in arguments.items() if name not in {"signal", "sender"}})

    for signal in (key_changed, access_withdrawn):
        signal.connect(hear)
    yield heard
    for signal in (key_changed, access_withdrawn):
        signal.disconnect(hear)


def test_a_key_is_sealed_and_comes_back_only_by_opening_it():
    text = key_text()

    key = give_key(register(), text)

    stored = ApiKey.objects.get(pk=key.pk)
    assert open_key(stored).reveal() == text
    assert text[8:] not in str(ApiKey.objects.filter(pk=key.pk).values())
    assert stored.masked == f"sk-…{text[-4:]}"
    assert str(stored) == f"production (sk-…{text[-4:]})"


def test_a_sealed_key_opens_nowhere_else():
    alder, birch = give_key(register("Alder")), give_key(register("Birch"))

    birch.token = alder.token

    with pytest.raises(SecretError):
        open_key(birch)


def test_adding_a_key_is_audited_by_fingerprint_announced_and_seen_by_every_process(announced):
    tenant, text, before = register(), key_text(), ConfigEpoch.current()

    key = give_key(tenant, text)

    event = AuditEvent.objects.get(action="key:added")
    assert (event.tenant_id, event.subject_id) == (tenant.id, str(key.id))
    assert event.changes["values"]["key"]["new"] == key.fingerprint
    assert text not in str(event.changes)
    assert announced == [{"key_id": key.id}]
    assert ConfigEpoch.current() > before


def test_the_same_key_elsewhere_is_noticed_by_its_fingerprint_not_refused():
    text = key_text()
    alder = give_key(register("Alder"), text)

    birch = give_key(register("Birch"), text)

    assert same_elsewhere(birch) == [alder]
    assert same_elsewhere(give_key(register("Cedar"))) == []


def test_a_label_is_used_once_in_a_tenant():
    tenant = register()
    give_key(tenant)

    with pytest.raises(ValidationError):
        give_key(tenant)


def test_a_replaced_key_keeps_its_row_and_forgets_what_was_found_of_the_old_one(announced):
    tenant, text = register(), key_text()
    key = give_key(tenant)
    give_assistant(tenant, key)
    ApiKey.objects.filter(pk=key.pk).update(verdict=Verdict.INVALID_KEY, checked_at=timezone.now())
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)
    announced.clear()

    replaced = replace_key(key=key, plaintext=Secret(text), actor=SYSTEM)

    assert replaced.pk == key.pk
    assert open_key(replaced).reveal() == text
    assert (replaced.verdict, replaced.checked_at) == (Verdict.UNCHECKED, None)
    assert AssistantKey.objects.get().verdict == Verdict.UNCHECKED
    assert announced == [{"key_id": key.id}]
    values = AuditEvent.objects.get(action="key:replaced").changes["values"]
    assert values == {"key": {"old": key.fingerprint, "new": replaced.fingerprint}}


def test_a_session_may_have_been_opened_by_every_key_that_was_in_use_since():
    first, second = key_text(), key_text()
    key = give_key(register(), first)
    before = timezone.now()
    key = replace_key(key=key, plaintext=Secret(second), actor=SYSTEM)

    early, late = (credentials_since(key, before + timedelta(seconds=seconds)) for seconds in (0, 5))

    assert [credentials.key.reveal() for credentials in early] == [first, second]
    assert [credentials.key.reveal() for credentials in late] == [second]


@pytest.mark.parametrize("prefix", ["sk-", "ek_", "domain_pk_", "key: sk-", "Sk-"])
def test_what_looks_like_a_key_is_no_name(prefix):
    pasted = prefix + key_text()[3:50]
    tenant = register()

    for name_it in (
        lambda: give_key(tenant, label=pasted),
        lambda: register(pasted, slug="other"),
        lambda: add_assistant(tenant=tenant, name=pasted, slug="help", workflow_id="wf_1", actor=SYSTEM),
    ):
        with pytest.raises(ValidationError) as refusal:
            name_it()
        assert "looks like a key" in str(refusal.value)
        assert pasted not in str(refusal.value)
    assert pasted not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("label", ["task-force-production", "sk-…1234", "risk-assessment", "week_2_of_rollout"])
def test_a_name_that_only_holds_such_letters_is_one(label):
    assert give_key(register(), label=label).label == label


def test_retiring_is_final_and_withdraws_the_keys_sessions(announced):
    key = give_key(register())
    announced.clear()

    retired = retire_key(key=key, actor=SYSTEM)

    assert retired.is_retired
    assert announced == [{"tenant_id": key.tenant_id, "key_id": key.id, "assistant_id": None, "reason": "key_retired"}]
    with pytest.raises(KeyIsRetired):
        retire_key(key=key, actor=SYSTEM)
    with pytest.raises(KeyIsRetired):
        replace_key(key=key, plaintext=Secret(key_text()), actor=SYSTEM)


def test_a_listener_that_fails_takes_the_key_back_with_it():
    tenant = register()

    def fail(**_):
        raise RuntimeError("no check could be planned")

    key_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            give_key(tenant)
    finally:
        key_changed.disconnect(fail)

    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.filter(action="key:added").exists()


def test_the_vault_knows_every_sealed_column_and_what_its_rows_are_bound_to():
    text = key_text()
    key = replace_key(key=give_key(register(), text), plaintext=Secret(key_text()), actor=SYSTEM)
    columns = {str(column): column for column in sealed_columns()}

    opened = {
        name: open_token(getattr(row, columns[name].field), columns[name].binding_of(row)).reveal()
        for name, row in (
            ("tenants.ApiKey.token", key),
            ("tenants.ReplacedKey.token", key.replaced.get()),
            ("tenants.Tenant.user_scope_token", key.tenant),
        )
    }

    assert opened["tenants.ApiKey.token"] == open_key(key).reveal()
    assert opened["tenants.ReplacedKey.token"] == text
    assert opened["tenants.Tenant.user_scope_token"] == open_user_scope(key.tenant).reveal()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda key: retire_key(key=key, actor=SYSTEM),
        lambda key: replace_key(key=key, plaintext=Secret(key_text()), actor=SYSTEM),
        lambda key: suspend_tenant(tenant=key.tenant, actor=SYSTEM),
    ],
    ids=["retire", "replace", "suspend"],
)
def test_two_changes_of_one_key_never_wait_for_each_other(on_services, change):
    """PostgreSQL ends one of two transactions that do; here the second begins while the first stands half-way."""
    key = give_key(register())

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        ConfigEpoch.bump()
        second = threads.submit(lambda: (change(key), connection.close()))
        time.sleep(0.5)
        ApiKey.objects.filter(pk=key.pk).update(label="renamed")
        Tenant.objects.filter(pk=key.tenant_id).update(name="Renamed")
        assert not second.done()

    assert second.result(timeout=5)


def test_a_row_id_is_there_before_the_row_is():
    assert isinstance(ApiKey().id, uuid.UUID)
