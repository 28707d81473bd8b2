from html.parser import HTMLParser

import pytest

from widget import snippets

PLACE = snippets.Place(
    "https://chat.example",
    "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js",
    "https://api.openai.com/v1",
)
PUBLIC_ID = "tn_" + "a" * 28
HOSTILE = [
    '"><script>alert(1)</script>',
    "' onload='alert(1)",
    '" onload="alert(1)',
    "</script><img src=x onerror=alert(1)>",
    "&quot; onload=alert(1) ",
    "\u2028alert(1)",
    "javascript:alert(1)",
    "`${alert(1)}`",
]


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_moving_line_names_the_script_and_the_tenant():
    assert snippets.moving_snippet(PLACE, PUBLIC_ID) == (
        f'<script async src="https://chat.example/widget/v1/embed.js" data-tenant="{PUBLIC_ID}"></script>'
    )


def test_the_pinned_line_carries_version_hash_and_crossorigin():
    line = snippets.pinned_snippet(PLACE, PUBLIC_ID, version="1.2.3", sri="sha384-x", assistant="help")

    assert Tags(line).found == [
        (
            "script",
            {
                "async": None,
                "src": "https://chat.example/widget/1.2.3/embed.js",
                "integrity": "sha384-x",
                "crossorigin": "anonymous",
                "data-tenant": PUBLIC_ID,
                "data-assistant": "help",
            },
        )
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_leaves_its_attribute(hostile):
    line = snippets.moving_snippet(PLACE, PUBLIC_ID, assistant=hostile)
    tag = snippets.verification_tag(hostile)

    assert Tags(line).found == [
        (
            "script",
            {
                "async": None,
                "src": "https://chat.example/widget/v1/embed.js",
                "data-tenant": PUBLIC_ID,
                "data-assistant": hostile,
            },
        )
    ]
    assert Tags(tag).found == [("meta", {"name": "openai-domain-verify", "content": hostile})]


def test_the_policy_names_the_platform_openai_and_nothing_else():
    assert snippets.csp_text(PLACE) == (
        "script-src https://chat.example https://cdn.platform.openai.com;\n"
        "connect-src https://chat.example https://api.openai.com;\n"
        "frame-src https://cdn.platform.openai.com;"
    )


def test_the_react_settings_point_at_the_tenant():
    assert snippets.react_settings(PLACE, PUBLIC_ID) == f"VITE_API_URL=https://chat.example/api/v1/tenants/{PUBLIC_ID}"


def test_the_command_carries_the_origin_that_a_browser_would_send():
    command = snippets.curl_command(PLACE, PUBLIC_ID, "https://shop.example")

    assert f"https://chat.example/api/v1/tenants/{PUBLIC_ID}/chatkit/session/" in command
    assert '-H "Origin: https://shop.example"' in command
