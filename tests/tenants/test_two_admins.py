"""Two people who save the same page at the same moment, on PostgreSQL: the second one's form sees what the first one wrote."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event

import pytest
from django.db import connection
from django.urls import reverse

from tests.tenants.cast import register
from tests.tenants.forms import errors_of, filled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_services")]


def pausing_before_a_website_is_written(reached: Event) -> AbstractContextManager[None]:
    def pause(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "tenants_alloweddomain"'):
            reached.set()
            time.sleep(0.5)
        return execute(sql, params, many, context)

    return connection.execute_wrapper(pause)


def test_the_same_website_added_twice_at_the_same_moment_is_an_error_of_the_form(superuser, log_in):
    tenant = register()
    page = reverse("admin:tenants_tenant_change", args=[tenant.pk])
    ada, again = log_in(superuser), log_in(superuser)
    typed = {**filled(ada, page), "domains-0-entry": "shop.example.com"}
    reached = Event()

    def save_first():
        try:
            with pausing_before_a_website_is_written(reached):
                return ada.post(page, typed)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(save_first)
        assert reached.wait(10)
        second = again.post(page, typed)
        answers = (first.result(timeout=10).status_code, second.status_code)

    assert answers == (302, 200)
    assert "on the list already" in errors_of(second)
    assert tenant.domains.count() == 1
