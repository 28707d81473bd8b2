from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.record import SYSTEM
from gateway.models import OpsScope, OpsToken
from gateway.ops_tokens import issue_ops_token
from tests.console.conftest import console, log_in, password, superuser

__all__ = ["console", "log_in", "password", "superuser"]

pytestmark = pytest.mark.django_db


def add(console, *, days):
    end = timezone.now() + timedelta(days=days)
    return console.post(
        reverse("admin:gateway_opstoken_add"),
        {
            "label": "grafana",
            "scopes": [OpsScope.METRICS_READ],
            "expires_at_0": end.strftime("%Y-%m-%d"),
            "expires_at_1": end.strftime("%H:%M:%S"),
        },
    )


def test_a_token_that_would_have_ended_already_is_refused(console):
    answer = add(console, days=-1)

    assert "This is in the past: choose a time to come" in answer.content.decode()
    assert not OpsToken.objects.exists()


def test_a_token_with_an_end_to_come_is_made(console):
    add(console, days=1)

    assert OpsToken.objects.get().expires_at > timezone.now()


def test_the_list_names_the_scopes_in_plain_words(console):
    issue_ops_token(label="grafana", scopes=[OpsScope.METRICS_READ, OpsScope.KEYS_READ], actor=SYSTEM)

    page = console.get(reverse("admin:gateway_opstoken_changelist")).content.decode()

    assert "keys:read, metrics:read" in page
