"""O2, O6: whatever is sent, only the canonical origin of a rule is ever allowed; whatever is typed is canonical or refused."""

import json
from collections import Counter
from pathlib import Path

import ada_url
import pytest
from hypothesis import assume, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from tenants.origin_entries import EntryRefused, parse_entry
from tenants.origins import OriginRule, OriginRules, Reason
from tests.tenants.days import NOW, TODAY

VECTORS = json.loads((Path(__file__).parent / "origin-vectors.json").read_text())
ENTRIES = [parse_entry(entry, allow_http=True) for entry in VECTORS["rules"]]
RULES = OriginRules(ENTRIES)
HEADERS = [case["header"] for case in VECTORS["cases"] if len(case["header"]) < 400]
CANONICAL_CHARACTERS = set("abcdefghijklmnopqrstuvwxyz0123456789-_.:[]/")

labels = st.from_regex(r"[a-z0-9_](?:[a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.one_of(st.none(), st.integers(1, 65535))


@st.composite
def mutated_headers(draw):
    """A header of the vectors with one to three places changed, doubled or cut."""
    text = draw(st.sampled_from(HEADERS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 3)))
        new = draw(st.one_of(st.text(max_size=2), st.sampled_from([".", ":", "/", "@", "*", "-", "shop.", "https://"])))
        text = text[:start] + new + text[end:]
    return text


def is_canonical_origin_of_a_rule(header):
    """The oracle: written apart from the code under test, in the slow and obvious way."""
    if not set(header) <= CANONICAL_CHARACTERS:
        return False
    for rule in ENTRIES:
        head, tail = f"{rule.scheme}://", rule.host + (f":{rule.port}" if rule.port else "")
        if not rule.include_subdomains:
            if header == head + tail:
                return True
        elif header.startswith(head) and header.endswith("." + tail):
            below = header[len(head) : -len("." + tail)]
            if below and all(0 < len(label) <= 63 for label in below.split(".")) and not set(below) & set(":/[]"):
                return True
    return False


@pytest.mark.proof("O2")
def test_what_is_allowed_is_exactly_the_canonical_origin_of_a_rule(proof):
    seen = Counter()

    @effort(max_examples=proof.size(reduced=3_000, full=100_000), deadline=None)
    @given(
        st.one_of(st.text(max_size=320), mutated_headers(), names.map(lambda name: f"https://{name}.shop.example.org"))
    )
    @example("https://example.com")
    @example("https://-.shop.example.org")
    def every_string(header):
        verdict = RULES.decide(header, now=NOW)
        seen[bool(verdict)] += 1
        if verdict:
            assert is_canonical_origin_of_a_rule(header)
            # WHATWG's own parser, as browsers have it, reads the header as an origin and writes the same text.
            assert ada_url.URL(header).origin == header
        elif is_canonical_origin_of_a_rule(header):
            # The one difference: an international label that no browser writes.
            assert "xn--" in header
            assert verdict.reason is Reason.NOT_ALLOWED

    every_string()
    proof.record(strings=seen.total(), allowed=seen[True], wrong=0)


@effort(max_examples=500, deadline=None)
@given(st.sampled_from(["https", "http"]), names, ports, st.booleans(), names)
def test_a_typed_entry_allows_itself_and_nothing_else(scheme, name, port, include_subdomains, below):
    typed = f"{scheme}://{'*.' if include_subdomains else ''}{name}{f':{port}' if port else ''}"
    try:
        rule = parse_entry(typed, allow_http=True, allow_public_suffix=True)
    except EntryRefused:
        return
    rules = OriginRules([rule])
    apex, lower = (OriginRule(rule.scheme, host, rule.port) for host in (rule.host, f"{below}.{rule.host}"))

    assert bool(rules.decide(str(apex), now=NOW)) is not include_subdomains
    assert bool(rules.decide(str(lower), now=NOW)) is include_subdomains


@pytest.mark.proof("O6")
def test_whatever_is_typed_is_canonical_or_refused(proof):
    seen = Counter()

    @effort(max_examples=proof.size(reduced=1_000, full=20_000), deadline=None)
    @given(st.one_of(st.text(max_size=80), mutated_headers()))
    def every_entry(typed):
        try:
            rule = parse_entry(typed, allow_http=True, allow_public_suffix=True)
        except EntryRefused:
            seen["refused"] += 1
            return
        seen["canonical"] += 1
        assert parse_entry(str(rule), allow_http=True, allow_public_suffix=True) == rule
        assert OriginRules([rule]).decide(str(rule).replace("*.", "below."), now=NOW)

    every_entry()
    proof.record(**seen)


around = st.text("abz019-_", max_size=12)


@pytest.mark.proof("O2")
def test_a_pattern_allows_exactly_the_labels_that_fit_it(proof):
    seen = {True: 0, False: 0}

    @effort(max_examples=proof.size(reduced=1_000, full=20_000), deadline=None)
    @given(prefix=around, suffix=around, middle=st.text("abz019-_.X*", max_size=8), drop=st.integers(0, 3))
    @example(prefix="aa", suffix="aa", middle="", drop=1)
    def every_pattern(prefix, suffix, middle, drop):
        typed = f"{prefix}*{suffix}.example.com"
        try:
            rule = parse_entry(typed, expires_on=TODAY)
        except EntryRefused:
            assume(False)
        label = (prefix + middle + suffix)[drop:] if drop < 3 else (prefix + middle + suffix)[:-1]
        fits = any(
            label == prefix + star + suffix
            for start in range(len(label) + 1)
            for star in [label[len(prefix) : start]]
            if star and set(star) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        )
        verdict = OriginRules([rule]).decide(f"https://{label}.example.com", now=NOW)
        seen[bool(verdict)] += 1
        assert bool(verdict) is (fits and len(label) <= 63)

    every_pattern()
    proof.record(patterns=sum(seen.values()), allowed=seen[True], wrong=0)
    assert seen[True]
    assert seen[False]
