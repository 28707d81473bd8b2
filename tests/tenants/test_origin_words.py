"""What the tester says: why an origin passes or not, which entry came near, and what to do."""

from datetime import timedelta

import pytest

from tenants.origin_entries import parse_entry
from tenants.origin_offers import Offer, offer_of
from tenants.origin_words import explain
from tenants.origins import OriginRules
from tests.tenants.days import NOW, TODAY

OVER = TODAY - timedelta(days=1)
RULES = [
    parse_entry("https://example.com"),
    parse_entry("https://www.shop.example"),
    parse_entry("https://*.example.org:8443"),
    parse_entry("http://bare.example", allow_http=True),
    parse_entry("https://app-*.example.net", expires_on=TODAY),
    parse_entry("https://old-*.example.net", expires_on=OVER),
]


def words_for(header):
    return explain(header, OriginRules(RULES).decide(header, now=NOW), RULES)


SENTENCES = [
    (None, "No Origin header", "a proxy drops the header"),
    ("", "No Origin header", "Call from a page"),
    ("null", "no origin of its own", "allow-same-origin"),
    ("https://example.com", "https://example.com matches.", ""),
    ("https://app-1.example.net", "https://app-*.example.net matches, until the end of 2026-11-24 (UTC).", ""),
    ("https://old-1.example.net", "its last day was 2026-11-23 (UTC)", "Choose a later last day"),
    ("https://EXAMPLE.com", "No browser writes", "sends https://example.com:"),
    ("https://example.com/", "No browser writes", "sends https://example.com:"),
    ("https://example.com:443", "No browser writes", "sends https://example.com:"),
    (" https://example.com", "No browser writes", "sends https://example.com:"),
    ("https://bücher.example", "No browser writes", "sends https://xn--bcher-kva.example:"),
    ("https://example.com.", "No browser writes", "Leave out the dot at the end"),
    ("https://a@example.com", "No browser writes", "Leave out the name and the @"),
    ("https://example.com:99999", "No browser writes", "1 to 65535"),
    ("ftp://example.com", "No browser writes", "Only websites"),
    ("https://a.example, https://b.example", "No browser writes", "A browser sends one origin"),
    ("x" * 9000, "No browser writes", "A program sent this."),
    ("https://stranger.example", "No entry of the list matches.", "add https://stranger.example to the list, exactly"),
    ("https://cdn.platform.openai.com", "can never be on a list", "ChatKit's own frame"),
    ("https://xn--a.example.org:8443", "can't be one itself", "no valid international name"),
]


@pytest.mark.parametrize(("header", "sentence", "cure"), SENTENCES, ids=lambda value: ascii(value)[:40])
def test_each_verdict_has_its_words(header, sentence, cure):
    words = words_for(header)

    assert sentence in words.sentence
    assert cure in words.cure
    assert bool(words.cure) is bool(cure)


NEAR = [
    ("http://example.com", ["https://example.com: the scheme differs."]),
    ("https://example.com:8443", ["https://example.com: the port differs."]),
    ("http://example.com:8080", ["https://example.com: the scheme and the port differ."]),
    ("https://www.example.com", ["https://example.com: with and without www. are two websites."]),
    ("https://shop.example", ["https://www.shop.example: with and without www. are two websites."]),
    ("https://example.org:8443", ["https://*.example.org:8443: means the names below example.org, not example.org itself."]),
    ("https://a.b.example.org", ["https://*.example.org:8443: the port differs."]),
    ("https://bare.example", ["http://bare.example: the scheme differs."]),
    ("https://x.example.net", [f"https://{head}-*.example.net: the star stands for" for head in ("app", "old")]),
    ("https://x.y.example.net", []),
    ("https://notexample.org:8443", []),
    ("https://sub.example.com", []),
]  # fmt: skip


@pytest.mark.parametrize(("header", "near"), NEAR)
def test_entries_that_come_near_are_named_with_the_difference(header, near):
    said = words_for(header).near

    assert len(said) == len(near)
    assert all(text.startswith(start) for text, start in zip(said, near, strict=True))


def test_three_of_them_are_enough():
    rules = [parse_entry(f"https://example.com:{port}") for port in range(1001, 1006)]

    words = explain("https://example.com", OriginRules(rules).decide("https://example.com", now=NOW), rules)

    assert len(words.near) == 3


@pytest.mark.parametrize(
    ("origin", "needs_choice"),
    [
        ("https://shop.example.com", False),
        ("https://shop.example.com:8443", False),
        ("https://203.0.113.7", False),
        ("http://shop.example.com", True),
        ("http://localhost:5173", True),
        ("https://intranet", True),
    ],
)
def test_what_can_be_allowed_is_offered(origin, needs_choice):
    assert offer_of(origin) == Offer(origin, needs_choice=needs_choice)


@pytest.mark.parametrize(
    "origin",
    [
        *("", "null", "shop.example.com", "https://Shop.example.com", "https://shop.example.com/", "https://shop.example.com:443"),
        *("https://*.example.com", "https://app-*.example.com", "https://cdn.platform.openai.com", "https://-.example.com"),
        *("https://xn--a.example.com", " https://shop.example.com", "https://b\u00fccher.example"),
    ],
)  # fmt: skip
def test_what_no_browser_sends_or_no_list_takes_is_not_offered(origin):
    assert offer_of(origin).problem
