"""A page of a defect shows what was sent, for whoever mends it, and never a secret: also where a view forgot to say so."""

import pytest
from django.test import RequestFactory, override_settings
from django.views.debug import get_exception_reporter_filter

SECRET = "-".join(["a", "secret", "that", "was", "sent"])


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "keys-0-api_key",
        "password",
        "password1",
        "new_password2",
        "old_password",
        "csrfmiddlewaretoken",
        "API_KEY",
    ],
)
def test_secret_fields_are_masked_whatever_the_view_marked(name, debug):
    request = RequestFactory().post("/", {name: SECRET, "label": "Main"})

    with override_settings(DEBUG=debug):
        shown = dict(get_exception_reporter_filter(request).get_post_parameters(request).items())

    assert SECRET not in repr(shown)
    assert shown["label"] == "Main"
