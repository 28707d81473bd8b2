"""The platform's own secrets: made once, sealed, the same for every process."""

import threading

import pytest
from django.db import connection, transaction

from encryption.models import SiteSecret, _make, forget_site_secrets, site_secret
from encryption.vault import SecretError


@pytest.fixture(autouse=True)
def nothing_remembered():
    forget_site_secrets()
    yield
    forget_site_secrets()


@pytest.mark.django_db
def test_it_is_made_on_first_use_and_then_stays():
    first = site_secret("public-ids")

    assert site_secret("public-ids") == first
    assert SiteSecret.objects.count() == 1
    assert len(first.reveal()) == 43


@pytest.mark.django_db
def test_each_name_has_a_secret_of_its_own():
    assert site_secret("public-ids") != site_secret("fingerprints")


@pytest.mark.django_db
def test_only_the_sealed_form_is_stored():
    secret = site_secret("public-ids")

    row = SiteSecret.objects.get(name="public-ids")

    assert row.token.startswith("ckp1.")
    assert secret.reveal() not in repr(vars(row))


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"name": "renamed"}, {"token": "ckp1.test.AAAA.AAAA"}])
def test_an_altered_row_does_not_open(change):
    site_secret("public-ids")
    SiteSecret.objects.update(**change)
    forget_site_secrets()

    with pytest.raises(SecretError):
        site_secret(change.get("name", "public-ids"))


@pytest.mark.django_db(transaction=True)
def test_it_is_read_once_per_process(django_assert_num_queries):
    first = site_secret("public-ids")

    with django_assert_num_queries(0):
        assert site_secret("public-ids") == first


@pytest.mark.django_db(transaction=True)
def test_a_secret_of_a_transaction_that_was_rolled_back_is_forgotten():
    with transaction.atomic():
        lost = site_secret("public-ids")
        transaction.set_rollback(True)

    assert site_secret("public-ids") != lost
    assert SiteSecret.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_need_it_first_at_once_get_the_same():
    together = threading.Barrier(8)
    seen = []

    def need_it():
        together.wait()
        try:
            seen.append(site_secret("public-ids"))
        finally:
            connection.close()

    threads = [threading.Thread(target=need_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 8
    assert all(secret == seen[0] for secret in seen)
    assert SiteSecret.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_loser_of_the_race_takes_the_winners():
    """The row is not there when it is looked for, and is there when it is inserted."""
    winner = _make("public-ids")
    with transaction.atomic():
        loser = _make("public-ids")
        assert SiteSecret.objects.count() == 1  # the transaction around it still works

    assert loser.pk == winner.pk
