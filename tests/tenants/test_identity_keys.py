"""The deeds on what a tenant signs its visitors with."""

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.registry import sealed_columns
from encryption.secret import Secret
from encryption.vault import SecretError, open_token, rewrap
from tenants.identity_claims import ClaimsRefused, read_claim_names
from tenants.identity_keys import (
    IdentityKeyRefused,
    add_public_key,
    add_secret,
    identity_binding,
    require_key_for,
    retire_identity_key,
    verifying_keys,
)
from tenants.models import IdentityKey, Tenant
from tenants.snapshot import load_snapshot
from tenants.verifying_keys import read_public_key
from tests.gateway.signing import an_ed25519_key
from tests.tenants.cast import register
from tests.tenants.leaks import leaks_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(db) -> Tenant:
    return register()


def secret_of(tenant: Tenant, label: str = "website") -> tuple[IdentityKey, Secret]:
    return add_secret(tenant=tenant, label=label, actor=SYSTEM)


def public_key_of(tenant: Tenant, label: str = "website") -> IdentityKey:
    return add_public_key(tenant=tenant, label=label, public_key=read_public_key(an_ed25519_key().pem), actor=SYSTEM)


class TestAdding:
    def test_a_secret_is_long_sealed_and_in_no_event(self, tenant):
        key, secret = secret_of(tenant)

        stored = IdentityKey.objects.get()
        event = AuditEvent.objects.get(action="identity_key:added")
        assert len(secret.reveal().encode()) >= 32
        assert open_token(stored.token, identity_binding(stored)) == secret
        assert leaks_of(secret.reveal(), str(vars(stored)) + str(vars(event))) == []
        assert event.changes["values"]["key"] == {"old": None, "new": key.fingerprint}
        assert (event.subject_type, event.tenant_id) == ("identitykey", tenant.id)

    def test_a_secret_opens_in_no_other_row_and_for_no_other_purpose(self, tenant):
        key, _ = secret_of(tenant)
        other, _ = secret_of(register("Birch"))
        tenant.refresh_from_db()

        with pytest.raises(SecretError):
            open_token(key.token, identity_binding(other))
        with pytest.raises(SecretError):
            open_token(tenant.user_scope_token, identity_binding(key))

    def test_rotation_of_master_keys_finds_it(self, tenant):
        key, secret = secret_of(tenant)
        (column,) = [column for column in sealed_columns() if column.model is IdentityKey]

        again = rewrap(key.token, column.binding_of(key))

        assert column.field == "token"
        assert open_token(again, identity_binding(key)) == secret

    def test_two_of_an_algorithm_are_active_at_most(self, tenant):
        secret_of(tenant), secret_of(tenant, "second"), public_key_of(tenant)

        with pytest.raises(IdentityKeyRefused, match="Two keys for HS256"):
            secret_of(tenant, "third")
        assert IdentityKey.objects.count() == 3

    def test_the_same_public_key_is_active_once(self, tenant):
        key = public_key_of(tenant)

        with pytest.raises(IdentityKeyRefused, match="very key"):
            add_public_key(tenant=tenant, label="again", public_key=read_public_key(key.public_key), actor=SYSTEM)

    def test_a_label_stands_for_one_active_key_so_a_reloaded_form_makes_no_second_secret(self, tenant):
        key, _ = secret_of(tenant)

        with pytest.raises(IdentityKeyRefused, match="has the label “website” already"):
            secret_of(tenant)

        retire_identity_key(key=key, actor=SYSTEM)
        secret_of(tenant)
        assert IdentityKey.objects.count() == 2

    def test_a_label_that_looks_like_a_key_is_refused(self, tenant):
        with pytest.raises(ValidationError):
            secret_of(tenant, "sk-" + "proj-abcdefgh")
        assert not IdentityKey.objects.exists()


class TestRetiring:
    def test_it_is_final_audited_and_makes_room(self, tenant):
        first, second = secret_of(tenant)[0], secret_of(tenant, "second")[0]

        retire_identity_key(key=first, actor=SYSTEM)

        secret_of(tenant, "third")
        with pytest.raises(IdentityKeyRefused, match="final"):
            retire_identity_key(key=first, actor=SYSTEM)
        assert AuditEvent.objects.filter(action="identity_key:retired").count() == 1
        assert not IdentityKey.objects.get(pk=second.pk).is_retired

    def test_the_last_one_of_an_enforcing_tenant_may_go(self, tenant):
        key, _ = secret_of(tenant)
        Tenant.objects.filter(pk=tenant.pk).update(identity_mode="required")

        assert retire_identity_key(key=key, actor=SYSTEM).is_retired


class TestWhatTheDoorKnows:
    def rules(self, tenant, **fields):
        Tenant.objects.filter(pk=tenant.pk).update(**fields)
        return load_snapshot(tenant.public_id).identity

    def test_of_a_tenant_that_signs_nobody_no_key_is_opened(self, tenant):
        secret_of(tenant)

        assert self.rules(tenant, identity_mode="off").keys == ()

    def test_only_active_keys_of_the_tenant_s_algorithm(self, tenant):
        retired, kept = secret_of(tenant)[0], secret_of(tenant, "second")[0]
        public = public_key_of(tenant)
        retire_identity_key(key=retired, actor=SYSTEM)

        by_secret = self.rules(tenant, identity_mode="required")
        by_public = self.rules(tenant, identity_algorithm="EdDSA")

        assert [key.id for key in by_secret.keys] == [kept.id]
        assert [key.id for key in by_public.keys] == [public.id]

    def test_a_key_that_cannot_be_opened_is_left_out_and_the_rest_goes_on(self, tenant, caplog):
        spoiled, good = secret_of(tenant)[0], secret_of(tenant, "second")[0]
        IdentityKey.objects.filter(pk=spoiled.pk).update(token=good.token)

        rules = self.rules(tenant, identity_mode="required")

        assert [key.id for key in rules.keys] == [good.id]
        assert str(spoiled.pk) in caplog.text

    def test_a_key_shows_neither_its_secret_nor_its_numbers(self, tenant):
        _, secret = secret_of(tenant)
        tenant.refresh_from_db()

        assert leaks_of(secret.reveal(), repr(verifying_keys(tenant)) + repr(self.rules(tenant))) == []


@pytest.mark.parametrize(("mode", "is_refused"), [("off", 0), ("report_only", 0), ("optional", 1), ("required", 1)])
def test_tokens_are_enforced_only_where_one_could_be_good(tenant, mode, is_refused):
    public_key_of(tenant)

    require_key_for(tenant, mode=mode, algorithm="EdDSA")
    if is_refused:
        with pytest.raises(ValidationError, match="report only"):
            require_key_for(tenant, mode=mode, algorithm="HS256")
    else:
        require_key_for(tenant, mode=mode, algorithm="HS256")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" ,\n", []),
        ("plan, locale", ["plan", "locale"]),
        ("plan\nlocale;plan  Age_2", ["plan", "locale", "Age_2"]),
        ("a" * 64, ["a" * 64]),
    ],
)
def test_names_of_claims_are_read_from_a_text(text, names):
    assert read_claim_names(text) == names


@pytest.mark.parametrize(
    "text",
    ["sub", "plan, exp", "a" * 65, "a.b", "größe", "a-b", '"plan"', ",".join(f"claim{number}" for number in range(21))],
)
def test_names_that_no_state_variable_can_have_are_refused(text):
    with pytest.raises(ClaimsRefused):
        read_claim_names(text)
