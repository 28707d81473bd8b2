"""O1, O7: which Origin headers are allowed, and why the others are not."""

import json
from pathlib import Path

import pytest

from tenants.origin_entries import EntryRefused, parse_entry
from tenants.origins import OriginRule, OriginRules, Reason
from tests.tenants.days import NOW

VECTORS = json.loads((Path(__file__).parent / "origin-vectors.json").read_text())
RULES = OriginRules(parse_entry(entry, allow_http=True) for entry in VECTORS["rules"])


def shown(header):
    return ascii(header)[:60]


@pytest.mark.proof("O1")
@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"{case['cat']} {shown(case['header'])}")
def test_the_vectors(case):
    verdict = RULES.decide(case["header"], now=NOW)

    assert verdict.allowed is (case["expect"] == "allow"), case["why"]
    assert verdict.allowed is (verdict.reason is Reason.ALLOWED)


@pytest.mark.proof("O1")
def test_the_vectors_are_all_there():
    assert len(VECTORS["cases"]) == 272


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "origin_missing"),
        ("", "origin_missing"),
        ("null", "origin_null"),
        ("NULL", "origin_malformed"),
        ("https://example.com, https://example.com", "origin_malformed"),
        ("https://example.com https://example.com", "origin_malformed"),
        ("https://user@example.com", "origin_malformed"),
        ("https://example.com.", "origin_malformed"),
        ("https://example.com:443", "origin_malformed"),
        ("http://example.com:80", "origin_malformed"),
        ("https://example.com:65536", "origin_malformed"),
        ("https://example.com/", "origin_malformed"),
        ("https://example.com\n", "origin_malformed"),
        ("https://b\xfccher.example", "origin_malformed"),
        ("https://example.com\udc80", "origin_malformed"),
        ("https://" + "a." * 126 + "com", "origin_malformed"),
        ("https://" + "a" * 300, "origin_malformed"),
        ("https://example.com:0", "origin_malformed"),
        ("https://example.com:08", "origin_malformed"),
        ("https://example.com:", "origin_malformed"),
        ("https://example.com:655350", "origin_malformed"),
        ("https://example.com:65535", "origin_not_allowed"),
        ("http://example.com:65535", "origin_not_allowed"),
        ("http://example.com:65536", "origin_malformed"),
        ("https://example.com:1", "origin_not_allowed"),
        ("https://" + "a" * 63 + ".shop.example.org", "allowed"),
        ("https://" + "a" * 64 + ".shop.example.org", "origin_malformed"),
        ("https://" + "a" * 63, "origin_not_allowed"),
        ("https://" + ".".join(["a" * 61] * 4) + ".aaaaa", "origin_not_allowed"),
        ("https://" + ".".join(["a" * 61] * 4) + ".aaaaaa", "origin_malformed"),
        ("https://", "origin_malformed"),
        ("https://.example.com", "origin_malformed"),
        ("https://a..example.com", "origin_malformed"),
        ("httpss://example.com", "origin_malformed"),
        ("ws://example.com", "origin_malformed"),
        ("xhttps://example.com", "origin_malformed"),
        ("https://example.com#", "origin_malformed"),
        ("https://*.shop.example.org", "origin_malformed"),
        ("https://[:]", "origin_malformed"),
        ("https://[::]", "origin_not_allowed"),
        ("https://[" + ":".join(["abcd"] * 8) + "]", "origin_not_allowed"),
        ("https://[" + ":".join(["abcd"] * 8) + "0]", "origin_malformed"),
        ("https://[::1]]", "origin_malformed"),
        ("https://[::g]", "origin_malformed"),
        ("https://2001:db8::1", "origin_malformed"),
        ("https://example.com:80", "origin_not_allowed"),
        ("http://example.com", "origin_not_allowed"),
        ("http://example.com:443", "origin_not_allowed"),
        ("https://example.org", "origin_not_allowed"),
        ("https://shop.example.org", "origin_not_allowed"),
        ("https://[2001:db8::2]:8443", "origin_not_allowed"),
        ("https://203.0.113.8", "origin_not_allowed"),
        ("https://example.com", "allowed"),
        ("https://a.shop.example.org", "allowed"),
        ("https://[2001:db8::1]:8443", "allowed"),
    ],
    ids=shown,
)
def test_each_verdict_has_its_reason(header, reason):
    verdict = RULES.decide(header, now=NOW)

    assert verdict.reason == reason
    assert bool(verdict) is (reason == "allowed")


def test_an_empty_list_refuses_everybody():
    nobody = OriginRules([])

    assert not nobody.decide("https://example.com", now=NOW)
    assert nobody.decide(None, now=NOW).reason == "origin_missing"


def test_subdomains_count_with_scheme_and_port():
    rules = OriginRules([parse_entry("https://*.example.com:8443")])

    assert rules.decide("https://a.example.com:8443", now=NOW)
    assert rules.decide("https://a.b.c.example.com:8443", now=NOW)
    assert not rules.decide("https://example.com:8443", now=NOW)
    assert not rules.decide("https://a.example.com", now=NOW)
    assert not rules.decide("https://a.example.com:8444", now=NOW)
    assert not rules.decide("http://a.example.com:8443", now=NOW)
    assert not rules.decide("https://aexample.com:8443", now=NOW)
    assert not rules.decide("https://a.example.com:8443.example.com:8443", now=NOW)


def test_a_name_has_at_most_253_characters():
    longest = ".".join(["a" * 61] * 4) + ".shop"
    rules = OriginRules([parse_entry(longest), OriginRule("https", "a" + longest)])

    assert len(longest) == 252
    assert rules.decide(f"https://{longest}", now=NOW)
    assert rules.decide(f"https://a{longest}", now=NOW)
    assert (
        OriginRules([OriginRule("https", "aa" + longest)]).decide(f"https://aa{longest}", now=NOW).reason
        == "origin_malformed"
    )
    assert parse_entry("a" + longest).host == "a" + longest
    with pytest.raises(EntryRefused, match="at most 253"):
        parse_entry("aa" + longest)


def test_a_name_and_its_subdomains_are_two_entries():
    rules = OriginRules([parse_entry("example.com"), parse_entry("*.example.com")])

    assert rules.decide("https://example.com", now=NOW)
    assert rules.decide("https://www.example.com", now=NOW)


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("xn--bcher-kva", True),
        ("xn--ls8h", True),
        ("xn--kgbechtv", True),
        ("xn--", False),
        ("xn--a", False),
        ("xn--abc-", False),
        ("xn--99999999", False),
        ("xn--a_b", False),  # no punycode at all
        ("xn--bcher-kva.xn--a", False),
        ("xn--a.xn--bcher-kva", False),
        ("xn--xn--bcher-kva-", False),
        ("xn--Bcher-kva", False),
        ("xn--a-kfa", False),  # a capital Ü
        ("xn--ab-r13a", False),  # a dot of another alphabet
    ],
)
def test_below_a_listed_name_only_international_labels_that_a_browser_writes_are_allowed(label, allowed):
    rules = OriginRules([parse_entry("*.example.com")])

    assert bool(rules.decide(f"https://{label}.example.com", now=NOW)) is allowed


def test_chatkits_own_frame_is_never_a_website():
    rules = OriginRules(
        [OriginRule("https", "cdn.platform.openai.com"), OriginRule("https", "openai.com", include_subdomains=True)]
    )

    assert not rules.decide("https://cdn.platform.openai.com", now=NOW)
    assert rules.decide("https://help.openai.com", now=NOW)


@pytest.mark.parametrize(
    "rule",
    [
        OriginRule("https", "EXAMPLE.com"),
        OriginRule("https", "example.com."),
        OriginRule("https", "user@example.com"),
        OriginRule("ftp", "example.com"),
        OriginRule("https", "example.com/path"),
        OriginRule("https", "example.com", 99999),
        OriginRule("https", "bücher.example"),
        OriginRule("https", "", include_subdomains=True),
        OriginRule("", ""),
    ],
    ids=str,
)
def test_a_rule_that_nobody_parsed_allows_nothing(rule):
    rules = OriginRules([rule])

    assert not rules.decide(str(rule), now=NOW)
    assert not rules.decide("https://example.com", now=NOW)


def test_a_rule_with_the_default_port_means_the_origin_without_it():
    assert OriginRules([OriginRule("https", "example.com", 443)]).decide("https://example.com", now=NOW)
    assert OriginRules([OriginRule("http", "example.com", 443)]).decide("http://example.com:443", now=NOW)


@pytest.mark.parametrize(
    "entry", ["https://example.com", "https://*.example.com:8443", "https://[2001:db8::1]", "http://localhost:5173"]
)
def test_a_rule_reads_as_it_is_typed(entry):
    assert str(parse_entry(entry, allow_http=True)) == entry
