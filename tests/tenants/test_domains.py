import pytest

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.domains import allow_domain
from tenants.models import AllowedDomain
from tenants.origin_entries import EntryRefused
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        ("Shop.Example.com", "https://shop.example.com"),
        ("https://shop.example.com:443/", "https://shop.example.com"),
        ("*.example.com:8443", "https://*.example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_stored_parsed_and_shown_as_browsers_write_it(typed, entry):
    domain = allow_domain(tenant=register(), text=typed, actor=SYSTEM)

    assert AllowedDomain.objects.get().entry == domain.entry == entry
    assert AuditEvent.objects.get(action="domain:allowed").subject == entry


def test_a_domain_that_is_allowed_already_is_given_back_without_another_event():
    tenant = register()
    first = allow_domain(tenant=tenant, text="shop.example.com", actor=SYSTEM)

    again = allow_domain(tenant=tenant, text="https://SHOP.example.com", actor=SYSTEM)

    assert again == first
    assert AuditEvent.objects.filter(action="domain:allowed").count() == 1


def test_plain_http_wants_the_explicit_choice():
    tenant = register()

    with pytest.raises(EntryRefused):
        allow_domain(tenant=tenant, text="http://shop.localhost:8003", actor=SYSTEM)
    allowed = allow_domain(tenant=tenant, text="http://shop.localhost:8003", actor=SYSTEM, allow_http=True)

    assert allowed.entry == "http://shop.localhost:8003"
