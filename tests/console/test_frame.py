"""The frame around Django's admin: nothing of Django's is lost, nothing inline gets in, every page is ours."""

import re
from pathlib import Path

import django.contrib.admin
import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from console.badges import badge
from console.cards import Card, Tone, cards_of, register_cards

STOCK = Path(django.contrib.admin.__file__).parent / "templates"
OURS = Path(__file__).parents[2] / "platform" / "console" / "templates"


def blocks(text: str) -> set[str]:
    return set(re.findall(r"{% block ([\w-]+) %}", text))


def test_our_base_template_has_every_block_of_djangos():
    assert blocks((STOCK / "admin/base.html").read_text()) <= blocks((OURS / "admin/base.html").read_text())


def test_each_template_of_djangos_that_links_a_stylesheet_of_its_own_is_answered_by_one_of_ours():
    linking = {
        path.relative_to(STOCK)
        for path in STOCK.rglob("*.html")
        if "extrastyle" in (text := path.read_text()) and "admin/css/" in text and "password_reset" not in path.name
    }

    assert {path for path in linking if not (OURS / path).exists()} == set()


def test_no_template_of_ours_holds_an_inline_script_style_or_handler():
    for path in OURS.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text), path


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["admin:login", "admin:index", "admin:auth_user_changelist", "admin:password_change"])
def test_every_page_carries_the_strict_policy_and_our_stylesheet(console, page):
    client = Client() if page == "admin:login" else console

    answer = client.get(reverse(page))

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert "console/console.css" in answer.content.decode()
    assert "admin/css/base.css" not in answer.content.decode()


@pytest.mark.django_db
def test_each_write_of_the_console_wants_a_csrf_token(superuser):
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)

    for page in ("admin:logout", "reauthenticate", "admin:password_change", "admin:auth_user_add"):
        answer = client.post(reverse(page), {"password": "x"})
        assert answer.status_code == 403, page
        assert "This form is no longer good" in answer.content.decode()


@pytest.mark.parametrize("code", ["400", "403", "404", "500", "403_csrf"])
def test_error_pages_stand_without_a_request(code):
    page = get_template(f"{code}.html").render({})

    assert code[:3] in page
    assert "console/console.css" in page


@pytest.mark.django_db
def test_an_unknown_page_of_the_console_is_answered_in_our_frame(console):
    answer = console.get("/admin/nope/")

    assert answer.status_code == 404
    assert "There is no such page here" in answer.content.decode()


@pytest.mark.django_db
def test_the_first_page_shows_registered_figures_and_the_quick_ways(console, rf, superuser):
    page = console.get(reverse("admin:index")).content.decode()

    assert "Active tenants" in page
    assert f'href="{reverse("admin:tenants_tenant_add")}"' in page
    assert f'href="{reverse("operations")}"' in page


def test_a_source_of_figures_is_asked_once_per_page_however_often_it_was_registered(rf):
    asked = []

    def source(request):
        asked.append(request)
        return [Card("Doors", "2", tone=Tone.OK)]

    register_cards(source)
    register_cards(source)
    request = rf.get("/")
    request.user = type("Nobody", (), {"has_perm": lambda self, name: False})()

    assert Card("Doors", "2", tone=Tone.OK) in cards_of(request)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("value", "tone"),
    [("healthy", "ok"), ("throttled", "warn"), ("invalid_key", "bad"), ("unchecked", "idle"), ("unheard_of", "idle")],
)
def test_a_badge_says_its_state_in_words_and_has_a_class_for_it(value, tone):
    html = badge(value, "<words>")

    assert f'class="badge badge-{value} tone-{tone}"' in html
    assert "&lt;words&gt;" in html
