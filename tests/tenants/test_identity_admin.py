"""Signed visitors on a tenant's page: the mode, the keys, what is shown once and what never."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.identity_keys import add_secret, identity_binding, open_token
from tenants.models import IdentityKey, Tenant
from tenants.signals import identity_withdrawn
from tests.gateway.signing import an_ed25519_key, rsa_pair
from tests.tenants.cast import register
from tests.tenants.forms import errors_of, posted
from tests.tenants.leaks import leaks_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(db):
    return register()


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def deed(name, tenant, *more):
    return reverse(f"admin:tenants_tenant_identity_{name}", args=[tenant.pk, *more])


def forget_password(client):
    session = client.session
    session["password_given_at"] = 0
    session.save()


def private_pem_of(signer):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return signer.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class TestTheSettings:
    def test_mode_algorithm_and_claims_are_saved_and_audited_with_their_values(self, console, tenant):
        add_secret(tenant=tenant, label="website", actor=SYSTEM)

        posted(console, page_of(tenant), identity_mode="optional", identity_claims="plan,\nlocale")

        tenant.refresh_from_db()
        assert (tenant.identity_mode, tenant.identity_claims) == ("optional", ["plan", "locale"])
        values = AuditEvent.objects.get(action="tenant:changed").changes["values"]
        assert values["identity_mode"] == {"old": "off", "new": "optional"}
        assert values["identity_claims"] == {"old": [], "new": ["plan", "locale"]}

    @pytest.mark.parametrize(
        ("change", "is_asked"),
        [({"identity_mode": "report_only"}, True), ({"identity_algorithm": "EdDSA"}, True), ({"name": "Birch"}, False)],
    )
    def test_a_change_of_who_must_sign_wants_the_password_again(self, console, tenant, change, is_asked):
        forget_password(console)

        answer = posted(console, page_of(tenant), **change)

        before = tenant.name
        tenant.refresh_from_db()
        assert answer.url.startswith(reverse("reauthenticate") if is_asked else page_of(tenant))
        assert (tenant.identity_mode, tenant.identity_algorithm) == ("off", "HS256")
        assert (tenant.name != before) is not is_asked

    def test_claims_that_stay_as_they_are_are_no_change(self, console, tenant):
        Tenant.objects.filter(pk=tenant.pk).update(identity_claims=["plan", "locale"])

        posted(console, page_of(tenant))

        assert 'name="identity_claims"' in console.get(page_of(tenant)).content.decode()
        assert "plan, locale</textarea>" in console.get(page_of(tenant)).content.decode().replace("\n", "")
        assert not AuditEvent.objects.filter(action="tenant:changed").exists()

    def test_a_claim_of_the_token_itself_is_refused(self, console, tenant):
        answer = posted(console, page_of(tenant), identity_claims="plan, sub")

        assert "“sub” belongs to the token itself" in errors_of(answer)

    @pytest.mark.parametrize("mode", ["optional", "required"])
    def test_enforcing_without_a_key_is_refused_with_the_cure(self, console, tenant, mode):
        answer = posted(console, page_of(tenant), identity_mode=mode)

        assert "No active key for HS256 yet" in errors_of(answer)
        assert "add a key" in errors_of(answer)
        tenant.refresh_from_db()
        assert tenant.identity_mode == "off"

    def test_another_algorithm_wants_a_key_of_its_own_first(self, console, tenant):
        add_secret(tenant=tenant, label="website", actor=SYSTEM)
        posted(console, page_of(tenant), identity_mode="required")

        refused = posted(console, page_of(tenant), identity_algorithm="EdDSA")
        console.post(deed("public_key", tenant), {"label": "new", "public_key": an_ed25519_key().pem})
        taken = console.get(posted(console, page_of(tenant), identity_algorithm="EdDSA").url)

        assert "No active key for EdDSA yet" in errors_of(refused)
        assert "only tokens signed by EdDSA count" in taken.content.decode()
        tenant.refresh_from_db()
        assert tenant.identity_algorithm == "EdDSA"

    def test_whoever_lost_the_last_key_can_still_change_the_rest(self, console, tenant):
        Tenant.objects.filter(pk=tenant.pk).update(identity_mode="required")

        posted(console, page_of(tenant), fallback_text="Write to us.")

        tenant.refresh_from_db()
        assert tenant.fallback_text == "Write to us."
        assert "nobody can open a chat" in console.get(page_of(tenant)).content.decode()


class TestKeys:
    def test_a_secret_is_shown_once(self, console, tenant):
        shown = console.post(deed("secret", tenant), {"label": "website"})

        key = IdentityKey.objects.get()
        secret = open_token(key.token, identity_binding(key)).reveal()
        assert secret in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        later = [page_of(tenant), deed("retire", tenant, key.pk), deed("secret", tenant)]
        later.append(reverse("admin:audit_auditevent_changelist"))
        for address in later:
            assert leaks_of(secret, console.get(address).content.decode()) == []

    def test_the_third_is_refused_on_the_page(self, console, tenant):
        for label in ("one", "two"):
            console.post(deed("secret", tenant), {"label": label})

        answer = console.post(deed("secret", tenant), {"label": "three"})

        assert "Two keys for HS256 are active already" in answer.content.decode()

    @pytest.mark.parametrize("signer", [an_ed25519_key, lambda: rsa_pair()[0]], ids=["EdDSA", "RS256"])
    def test_a_public_key_is_added(self, console, tenant, signer):
        answer = console.post(deed("public_key", tenant), {"label": "website", "public_key": signer().pem})

        key = IdentityKey.objects.get()
        assert answer.url == f"{page_of(tenant)}#identity"
        assert (key.label, key.algorithm, key.token) == ("website", signer().algorithm, "")
        assert key.fingerprint in console.get(page_of(tenant)).content.decode()

    def test_a_private_key_is_refused_and_nothing_of_it_comes_back(self, console, tenant):
        pem = private_pem_of(an_ed25519_key())

        answer = console.post(deed("public_key", tenant), {"label": "website", "public_key": pem})

        page = answer.content.decode()
        assert "This is a private key" in page
        assert pem.splitlines()[1] not in page
        assert not IdentityKey.objects.exists()

    def test_retiring_says_what_follows(self, console, tenant):
        key, _ = add_secret(tenant=tenant, label="website", actor=SYSTEM)
        Tenant.objects.filter(pk=tenant.pk).update(identity_mode="required")

        asked = console.get(deed("retire", tenant, key.pk)).content.decode()
        answer = console.post(deed("retire", tenant, key.pk))
        again = console.post(deed("retire", tenant, key.pk), follow=True)

        assert "It is the last one" in asked
        assert answer.url == f"{page_of(tenant)}#identity"
        assert IdentityKey.objects.get().is_retired
        assert "retired already" in again.content.decode()

    def test_only_where_another_key_is_active_it_asks_whether_open_chats_shall_end(self, console, tenant):
        key, _ = add_secret(tenant=tenant, label="website", actor=SYSTEM)
        alone = console.get(deed("retire", tenant, key.pk)).content.decode()
        add_secret(tenant=tenant, label="new", actor=SYSTEM)

        page = console.get(deed("retire", tenant, key.pk)).content.decode()
        heard = []
        receiver = lambda tenant_id, **_: heard.append(tenant_id)  # noqa: E731
        identity_withdrawn.connect(receiver)
        console.post(deed("retire", tenant, key.pk), {"ends_chats": "on"})
        identity_withdrawn.disconnect(receiver)

        assert ("ends_chats" in alone, "ends_chats" in page) == (False, True)
        assert heard == [tenant.pk]

    def test_a_key_of_another_tenant_is_not_found(self, console, tenant):
        key, _ = add_secret(tenant=register("Birch"), label="website", actor=SYSTEM)

        assert console.post(deed("retire", tenant, key.pk)).status_code == 404
        assert not IdentityKey.objects.get().is_retired


class TestWhoMay:
    def deeds(self, tenant):
        key, _ = add_secret(tenant=tenant, label="website", actor=SYSTEM)
        return [deed("secret", tenant), deed("public_key", tenant), deed("retire", tenant, key.pk)]

    def test_each_deed_asks_for_the_password_again(self, console, tenant):
        deeds = self.deeds(tenant)
        forget_password(console)

        for address in deeds:
            for answer in (console.get(address), console.post(address, {"label": "x"})):
                assert answer.status_code == 302
                assert answer.url.startswith(reverse("reauthenticate"))
        assert IdentityKey.objects.filter(retired_at__isnull=True).count() == 1

    def test_an_operator_sees_and_changes_nothing(self, log_in, tenant, password):
        deeds = self.deeds(tenant)
        operator = User.objects.create_user("olga", password=password, is_staff=True)
        operator.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
        client = log_in(operator)

        page = client.get(page_of(tenant)).content.decode()

        assert "Signed visitors" in page
        assert "Make a secret" not in page
        assert "Retire…" not in page
        for address in deeds:
            assert client.post(address, {"label": "x"}).status_code == 403

    def test_a_tenant_that_is_being_deleted_gets_no_key(self, console, tenant):
        deeds = self.deeds(tenant)
        Tenant.objects.filter(pk=tenant.pk).update(state="deleting")

        for address in deeds:
            assert console.post(address, {"label": "x"}).status_code == 403
