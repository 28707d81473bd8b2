"""Preview patterns: one label, one star, until the end of one day; typed as one reads them, refused with the cure."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tenants.origin_entries import (
    MAX_PATTERN_DAYS,
    EntryRefused,
    is_for_development,
    is_shared,
    parse_entry,
    require_sensible_expiry,
)
from tenants.origins import OriginRule, OriginRules
from tests.tenants.days import NOW, TODAY


def preview(text, **choices):
    return parse_entry(text, **{"expires_on": TODAY, **choices})


def reason_for(text, header, now=NOW, **choices):
    return OriginRules([preview(text, **choices)]).decide(header, now=now).reason


MATCHES = [
    ("app-*.example.com", "https://app-1.example.com", True),
    ("app-*.example.com", "https://app--.example.com", True),
    ("app-*.example.com", "https://app-a-b-9.example.com", True),
    ("app-*.example.com", "https://app-.example.com", False),
    ("app-*.example.com", "https://app.example.com", False),
    ("app-*.example.com", "https://xapp-1.example.com", False),
    ("app-*.example.com", "https://app-1.x.example.com", False),
    ("app-*.example.com", "https://app-1.x-example.com", False),
    ("app-*.example.com", "https://x.app-1.example.com", False),
    ("app-*.example.com", "https://app-1.example.com.evil.test", False),
    ("app-*.example.com", "https://example.com", False),
    ("app-*.example.com", "https://app-a_b.example.com", False),
    ("app-*.example.com", "http://app-1.example.com", False),
    ("app-*.example.com", "https://app-1.example.com:8443", False),
    ("app-*.example.com:8443", "https://app-1.example.com:8443", True),
    ("app-*.example.com:8443", "https://app-1.example.com", False),
    ("app-*.example.com:8443", "https://app-1.example.com:8444", False),
    ("app_*.example.com", "https://app_1.example.com", True),
    ("*-team.example.com", "https://web-team.example.com", True),
    ("*-team.example.com", "https://-team.example.com", False),
    ("*-team.example.com", "https://web-teams.example.com", False),
    ("a*b.example.com", "https://a1b.example.com", True),
    ("a*b.example.com", "https://ab.example.com", False),
    ("aa*aa.example.com", "https://aaa.example.com", False),
    ("aa*aa.example.com", "https://aaaa.example.com", False),
    ("aa*aa.example.com", "https://aaaaa.example.com", True),
    ("a*.example.com", "https://a" + "b" * 62 + ".example.com", True),
    ("a*.example.com", "https://a" + "b" * 63 + ".example.com", False),
    # International labels pass only in the one form that a browser writes.
    ("*-kva.example.com", "https://xn--bcher-kva.example.com", True),
    ("*a.example.com", "https://xn--a.example.com", False),
    ("x*.example.com", "https://xn--99999999.example.com", False),
]


@pytest.mark.parametrize(("pattern", "header", "allowed"), MATCHES)
def test_the_star_stands_for_one_or_more_characters_of_one_label(pattern, header, allowed):
    assert (reason_for(pattern, header) == "allowed") is allowed


def test_the_verdict_names_the_pattern_that_matched():
    rule = preview("app-*.example.com")

    verdict = OriginRules([rule, parse_entry("example.com")]).decide("https://app-1.example.com", now=NOW)

    assert verdict.rule == rule
    assert str(rule) == "https://app-*.example.com"


def test_local_previews_take_the_choice_for_development():
    with pytest.raises(EntryRefused, match="everybody's own machine"):
        preview("http://app-*.localhost:3000")

    assert reason_for("http://app-*.localhost:3000", "http://app-1.localhost:3000", allow_http=True) == "allowed"


class TestTheLastDay:
    LAST = date(2026, 12, 1)
    END = datetime(2026, 12, 2, tzinfo=UTC).timestamp()

    def test_it_counts_until_its_end_in_utc_and_then_refuses_by_itself(self):
        rules = OriginRules([preview("app-*.example.com", expires_on=self.LAST)])

        assert rules.decide("https://app-1.example.com", now=self.END - 0.001)
        over = rules.decide("https://app-1.example.com", now=self.END)
        assert not over
        assert (over.reason, over.reason.code) == ("preview_expired", "origin_not_allowed")
        assert over.rule is not None

    def test_what_no_pattern_fits_is_not_called_expired(self):
        assert reason_for("app-*.example.com", "https://x.example.com", now=self.END) == "origin_not_allowed"

    @pytest.mark.parametrize("order", [1, -1])
    def test_one_that_runs_beats_one_that_is_over(self, order):
        over = preview("app-*.example.com", expires_on=self.LAST - timedelta(days=9))
        running = preview("ap*.example.com", expires_on=self.LAST)

        verdict = OriginRules([over, running][::order]).decide("https://app-1.example.com", now=self.END - 1)

        assert verdict.rule == running
        assert verdict

    def test_other_entries_win_over_a_pattern_that_is_over(self):
        over = preview("app-*.example.com", expires_on=self.LAST)
        for entry in ("app-1.example.com", "*.example.com"):
            assert OriginRules([over, parse_entry(entry)]).decide("https://app-1.example.com", now=self.END)

    def test_a_pattern_without_a_last_day_allows_nothing(self):
        rules = OriginRules([OriginRule("https", "app-*.example.com")])

        assert rules.decide("https://app-1.example.com", now=0).reason == "preview_expired"

    def test_a_star_alone_or_two_allow_nothing_even_if_nobody_parsed_them(self):
        for host in ("*.example.com", "a*b*c.example.com", "a.*.com", "a.b*.com"):
            rules = OriginRules([OriginRule("https", host, expires_on=self.LAST)])
            for header in (
                "https://abc.example.com",
                "https://aXbYc.example.com",
                "https://a.b.com",
                "https://a.bc.com",
            ):
                assert not rules.decide(header, now=NOW)

    def test_it_is_required(self):
        with pytest.raises(EntryRefused, match="needs its last day") as refusal:
            parse_entry("app-*.example.com")

        assert refusal.value.reason == "expiry"

    @pytest.mark.parametrize("entry", ["example.com", "*.example.com", "203.0.113.7"])
    def test_nothing_else_has_one(self, entry):
        with pytest.raises(EntryRefused, match="Leave the day empty"):
            parse_entry(entry, expires_on=TODAY)

    @pytest.mark.parametrize(
        ("days", "cure"), [(-1, "This day is over"), (0, ""), (1, ""), (90, ""), (91, "lasts 90 days at most")]
    )
    def test_it_is_today_or_within_90_days(self, days, cure):
        rule = preview("app-*.example.com", expires_on=TODAY + timedelta(days=days))

        assert MAX_PATTERN_DAYS == 90
        if not cure:
            require_sensible_expiry(rule, today=TODAY)
            return
        with pytest.raises(EntryRefused, match=cure) as refusal:
            require_sensible_expiry(rule, today=TODAY)
        assert refusal.value.reason == "expiry"

    def test_what_has_no_end_needs_no_sense_of_it(self):
        require_sensible_expiry(parse_entry("example.com"), today=TODAY)


CANONICAL = [
    ("App-*.Example.com", "https://app-*.example.com"),
    ("https://app-*.example.com:443/", "https://app-*.example.com"),
    ("app-*.example.com:8443", "https://app-*.example.com:8443"),
    ("app-*.bücher.example", "https://app-*.xn--bcher-kva.example"),
    ("app-*。example。com", "https://app-*.example.com"),
    ("ａpp-*.example.com", "https://app-*.example.com"),
    ("*0.example.com", "https://*0.example.com"),
    ("a" * 62 + "*.example.com", f"https://{'a' * 62}*.example.com"),
    ("app-*.me.github.io", "https://app-*.me.github.io"),
    ("app-*.example.co.uk", "https://app-*.example.co.uk"),
]
REFUSED = [
    ("app-*.*.example.com", "wildcard", "app-*.example.com"),
    ("app-*-*.example.com", "wildcard", "app-*.example.com"),
    ("www.app-*.example.com", "wildcard", "app-*.example.com"),
    ("*.app-*.example.com", "wildcard", "One star is enough"),
    ("app-*", "wildcard", "app-*.example.com"),
    ("app-*.", "wildcard", "app-*.example.com"),
    ("-app*.example.com", "wildcard", "Around a star"),
    ("app*-.example.com", "wildcard", "Around a star"),
    ("bü*.example.com", "wildcard", "Around a star"),
    ("xn--*.example.com", "wildcard", "Around a star"),
    ("xn--bcher-*.example.com", "wildcard", "Around a star"),
    ("a" * 63 + "*.example.com", "wildcard", "Around a star"),
    ("app-*.example.com.", "name", "dot at the end"),
    ("app-*..example.com", "name", "begin with a dot"),
    ("app-*.exa mple.com", "several", "one domain per entry"),
    ("app-*.example.com/x", "path", "after the domain"),
    ("app-*.example.com:0", "port", "1 to 65535"),
    ("app-*.203.0.113.7", "wildcard", "no subdomains"),
    ("app-*.com", "public_suffix", "Anybody can buy"),
    ("app-*.co.uk", "public_suffix", "Anybody can buy"),
    ("app-*.vercel.app", "public_suffix", "Anybody can get such a name at vercel.app"),
    ("*-team.pages.dev", "public_suffix", "Allow a shared domain (patterns)"),
    ("http://app-*.example.com", "scheme", "Write https://"),
    ("app--*." + ".".join(["a" * 61] * 4), "too_long", "at most 253"),
]


@pytest.mark.proof("O6")
@pytest.mark.parametrize(("typed", "canonical"), CANONICAL)
def test_a_pattern_becomes_canonical(typed, canonical):
    rule = preview(typed)

    assert str(rule) == canonical
    assert preview(str(rule)) == rule


@pytest.mark.proof("O6")
@pytest.mark.parametrize(("typed", "reason", "cure"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_a_pattern_is_refused_with_the_cure(typed, reason, cure):
    with pytest.raises(EntryRefused) as refusal:
        preview(typed)

    assert refusal.value.reason == reason
    assert cure in refusal.value.message


def test_a_pattern_has_at_most_253_characters():
    parent = ".".join(["a" * 61] * 4)

    assert len(preview(f"*bb.{parent}.c").host) == 253
    with pytest.raises(EntryRefused, match="at most 253"):
        preview(f"*bbb.{parent}.c")


def test_where_others_own_names_too_it_takes_the_choice_and_never_below_a_registry():
    assert reason_for("app-*.vercel.app", "https://app-1.vercel.app", allow_shared=True) == "allowed"
    with pytest.raises(EntryRefused, match="Anybody can buy"):
        preview("app-*.co.uk", allow_shared=True)
    with pytest.raises(EntryRefused, match="Strangers"):
        parse_entry("*.vercel.app", allow_shared=True)


ENTRIES = [
    ("example.com", False, False),
    ("*.example.com", False, False),
    ("app-*.example.com", False, False),
    ("app-*.vercel.app", False, True),
    ("*.vercel.app", False, True),
    ("shop.vercel.app", False, False),
    ("http://example.com", True, False),
    ("https://intranet", True, False),
    ("http://*.localhost:3000", True, False),
    ("http://app-*.localhost:3000", True, False),
    ("https://localhost", True, False),
    ("https://127.0.0.1", True, False),
    ("https://[::1]", True, False),
    ("https://[2001:db8::1]", False, False),
    ("https://203.0.113.7", False, False),
]


@pytest.mark.parametrize(("entry", "for_development", "shared"), ENTRIES)
def test_an_entry_says_which_choices_it_took(entry, for_development, shared):
    end = {"expires_on": TODAY} if "-*" in entry else {}
    rule = parse_entry(entry, allow_http=True, allow_public_suffix=True, allow_shared=True, **end)

    assert (is_for_development(rule), is_shared(rule)) == (for_development, shared)
    if for_development:
        with pytest.raises(EntryRefused):
            parse_entry(entry, allow_public_suffix=True, allow_shared=True, **end)
    if shared:
        with pytest.raises(EntryRefused):
            parse_entry(entry, allow_http=True, **end)
