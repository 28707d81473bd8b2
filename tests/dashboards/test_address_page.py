"""The page on which an operator sees which address the platform takes for theirs."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

PAGE = "/admin/operations/address/"

pytestmark = pytest.mark.django_db


def test_behind_one_trusted_proxy_it_shows_the_visitors_address_and_which_entry_was_taken(
    admin_client: Client, settings: Any
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    headers = {"X-Forwarded-For": "9.9.9.9, 2001:db8:1:2::7", "X-Forwarded-Proto": "https", "X-Real-IP": "<b>"}

    page = admin_client.get(PAGE, headers=headers).content.decode()

    assert '<strong class="stat-value">2001:db8:1:2::7</strong>' in page
    assert '<strong class="stat-value">2001:db8:1:2::/64</strong>' in page
    assert "connection from 127.0.0.1" in page
    assert (
        '<code>2001:db8:1:2::7</code></td><td>the address that your outermost proxy saw</td><td><span class="badge tone-ok">taken'
        in page
    )
    assert "&lt;b&gt;" in page
    assert 'role="alert"' not in page


def test_a_proxy_that_the_settings_do_not_know_of_is_warned_of(admin_client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    page = admin_client.get(PAGE, headers={"X-Forwarded-For": "203.0.113.7"}).content.decode()

    assert "A proxy seems to stand in front" in page
    assert '<strong class="stat-value">127.0.0.1</strong>' in page


def test_the_operations_page_leads_there(admin_client: Client) -> None:
    assert f'href="{PAGE}"' in admin_client.get("/admin/operations/").content.decode()


def test_it_is_for_staff_who_may_see_requests(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(get_user_model().objects.create_user("bob", is_staff=True))

    assert client.get(PAGE).status_code == 403
