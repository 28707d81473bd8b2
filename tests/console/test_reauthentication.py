import time

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent
from console.reauthentication import GIVEN_AT, password_again, safe_next

pytestmark = pytest.mark.django_db

LIFETIME = settings.REAUTHENTICATION_LIFETIME.total_seconds()


def given(client, seconds_ago: float) -> None:
    session = client.session
    session[GIVEN_AT] = time.time() - seconds_ago
    session.save()


def user_page(user) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def test_a_login_counts_as_the_password_given(console, superuser):
    answer = console.get(user_page(superuser))

    assert answer.status_code == 200


@pytest.mark.parametrize("seconds_ago", [LIFETIME, LIFETIME * 100, -60])
def test_a_guarded_page_asks_again_when_the_password_is_old_or_from_the_future(console, superuser, seconds_ago):
    given(console, seconds_ago)

    answer = console.get(user_page(superuser))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("reauthenticate") + "?next=")


def test_the_right_password_leads_back_rotates_the_session_and_is_audited(console, superuser, password):
    given(console, LIFETIME)
    key_before = console.session.session_key

    answer = console.post(reverse("reauthenticate"), {"password": password, "next": user_page(superuser)}, follow=True)

    assert answer.redirect_chain == [(user_page(superuser), 302)]
    assert answer.status_code == 200
    assert console.session.session_key != key_before
    assert AuditEvent.objects.first().action == Action.REAUTHENTICATED


def test_a_wrong_password_leads_nowhere_and_is_audited_once(console, superuser):
    given(console, LIFETIME)

    answer = console.post(reverse("reauthenticate"), {"password": "wrong", "next": user_page(superuser)})

    assert answer.status_code == 200
    assert "That is not your password." in answer.content.decode()
    assert "wrong" not in answer.content.decode()
    assert console.get(user_page(superuser)).status_code == 302
    events = AuditEvent.objects.filter(action__in=[Action.REAUTHENTICATION_FAILED, Action.LOGIN_FAILED])
    assert [event.action for event in events] == [Action.REAUTHENTICATION_FAILED]


def test_guessing_locks_even_the_right_password(console, superuser, password):
    given(console, LIFETIME)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        console.post(reverse("reauthenticate"), {"password": "wrong"})

    answer = console.post(reverse("reauthenticate"), {"password": password, "next": user_page(superuser)})

    assert answer.status_code == 429
    assert console.get(user_page(superuser)).status_code == 302
    assert AuditEvent.objects.filter(action=Action.LOGIN_LOCKED).count() == 1


def test_what_was_sent_too_late_is_not_done_and_the_person_is_told(console, superuser):
    given(console, LIFETIME)

    answer = console.post(user_page(superuser), {"username": "eve"}, follow=True)

    superuser.refresh_from_db()
    assert superuser.username == "ada"
    page = answer.content.decode()
    assert "Nothing was changed: your password was last given more than 5 minutes ago." in page
    assert f'name="next" value="{user_page(superuser)}"' in page


def test_a_late_bulk_action_is_not_done(console, superuser):
    given(console, LIFETIME)

    answer = console.post(
        reverse("admin:auth_user_changelist"), {"action": "delete_selected", "_selected_action": [superuser.pk]}
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("reauthenticate"))


def test_after_a_late_post_one_goes_back_to_the_page_of_the_form_not_to_an_address_that_only_takes_posts(console):
    given(console, LIFETIME)
    request = RequestFactory().post(
        "/admin/check-key/1/", headers={"referer": "http://testserver/admin/tenants/tenant/7/"}
    )
    request.session, request._messages = console.session, Notes()

    answer = password_again(lambda request: HttpResponse("done"))(request)

    assert answer["Location"] == reverse("reauthenticate") + "?next=%2Fadmin%2Ftenants%2Ftenant%2F7%2F"


class Notes(list):
    def add(self, level, message, extra_tags=""):
        self.append(message)


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "%0d%0aevil",
        "",
        " /admin/",
        "/\t/evil.example",
        "http://testserver/admin/",
    ],
)
def test_next_never_leads_to_another_site(following):
    request = RequestFactory().get("/")

    assert safe_next(request, following) == reverse("admin:index")


def test_next_keeps_an_address_of_this_site():
    request = RequestFactory().get("/")

    assert safe_next(request, "/admin/audit/auditevent/?q=x") == "/admin/audit/auditevent/?q=x"


def test_the_page_is_for_people_who_are_logged_in(client):
    answer = client.get(reverse("reauthenticate"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))
