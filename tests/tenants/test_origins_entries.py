"""O6: what an admin types becomes the form that browsers send, or a message that says what to type."""

import pytest

from tenants.origin_entries import EntryRefused, parse_entry
from tenants.origins import OriginRule, OriginRules
from tests.tenants.days import NOW

CANONICAL = [
    ("example.com", "https://example.com"),
    ("https://example.com", "https://example.com"),
    ("https://example.com/", "https://example.com"),
    ("example.com/", "https://example.com"),
    ("  example.com\t", "https://example.com"),
    ("\u00a0example.com\u3000", "https://example.com"),
    ("EXAMPLE.com", "https://example.com"),
    ("HTTPS://Example.COM", "https://example.com"),
    ("www.example.com", "https://www.example.com"),
    ("a.b.c.d.example.com", "https://a.b.c.d.example.com"),
    ("my-shop.example.com", "https://my-shop.example.com"),
    ("my_shop.example.com", "https://my_shop.example.com"),
    ("_dmarc.example.com", "https://_dmarc.example.com"),
    ("0.example.com", "https://0.example.com"),
    ("1e3.example.com", "https://1e3.example.com"),
    ("r3---sn.example.com", "https://r3---sn.example.com"),
    ("a" * 63 + ".example.com", "https://" + "a" * 63 + ".example.com"),
    ("example.com:443", "https://example.com"),
    ("https://example.com:443/", "https://example.com"),
    ("example.com:8443", "https://example.com:8443"),
    ("example.com:80", "https://example.com:80"),
    ("example.com:1", "https://example.com:1"),
    ("example.com:65535", "https://example.com:65535"),
    ("*.example.com", "https://*.example.com"),
    ("https://*.example.com", "https://*.example.com"),
    ("https://*.Example.com:8443/", "https://*.example.com:8443"),
    ("*.shop.example.co.uk", "https://*.shop.example.co.uk"),
    ("*.example.co.uk", "https://*.example.co.uk"),
    ("*.me.github.io", "https://*.me.github.io"),
    ("me.github.io", "https://me.github.io"),
    ("bücher.example", "https://xn--bcher-kva.example"),
    ("BÜCHER.example", "https://xn--bcher-kva.example"),
    ("bu\u0308cher.example", "https://xn--bcher-kva.example"),
    ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
    ("*.bücher.example", "https://*.xn--bcher-kva.example"),
    ("straße.example", "https://xn--strae-oqa.example"),
    ("παράδειγμα.ελ", "https://xn--hxajbheg2az3al.xn--qxam"),
    ("почта.рф", "https://xn--80a1acny.xn--p1ai"),
    ("例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
    ("مثال.إختبار", "https://xn--mgbh0fb.xn--kgbechtv"),
    ("example\u3002com", "https://example.com"),
    ("example\uff0ecom", "https://example.com"),
    ("ｅｘａｍｐｌｅ.com", "https://example.com"),
    ("exam\u00adple.com", "https://example.com"),
    ("exam\u200bple.com", "https://example.com"),
    ("xn--ls8h.example", "https://xn--ls8h.example"),
    ("203.0.113.7", "https://203.0.113.7"),
    ("203.0.113.7:8443", "https://203.0.113.7:8443"),
    ("https://10.0.0.5", "https://10.0.0.5"),
    ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ("[2001:DB8:0:0:0:0:0:1]", "https://[2001:db8::1]"),
    ("[2001:db8::0001]:443", "https://[2001:db8::1]"),
    ("[1:0:0:2:0:0:0:3]", "https://[1:0:0:2::3]"),
    ("[1:0:2:3:4:5:6:7]", "https://[1:0:2:3:4:5:6:7]"),
]

CANONICAL_FOR_DEVELOPMENT = [
    ("http://example.com", "http://example.com"),
    ("http://example.com:80", "http://example.com"),
    ("http://example.com:443", "http://example.com:443"),
    ("http://*.example.com", "http://*.example.com"),
    ("http://localhost", "http://localhost"),
    ("http://localhost:5173", "http://localhost:5173"),
    ("HTTP://LocalHost:5173/", "http://localhost:5173"),
    ("https://localhost:5173", "https://localhost:5173"),
    ("http://shop.localhost:8000", "http://shop.localhost:8000"),
    ("http://*.localhost:8000", "http://*.localhost:8000"),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ("http://[::1]:8000", "http://[::1]:8000"),
    ("https://intranet", "https://intranet"),
    ("intranet:8080", "https://intranet:8080"),
]

REFUSED = [
    ("", "blank", "Type a domain"),
    ("   ", "blank", "Type a domain"),
    ("\n", "blank", "Type a domain"),
    ("a" * 301, "too_long", "Type the domain only"),
    ("a" * 300, "name", "1 to 63"),
    (".".join(["a" * 60] * 5), "too_long", "Type the domain only"),
    (".".join(["a" * 60] * 4) + ".example.com", "too_long", "at most 253"),
    ("example.com,example.org", "several", "one domain per entry"),
    ("example.com;example.org", "several", "one domain per entry"),
    ("example.com example.org", "several", "one domain per entry"),
    ("example.com\nexample.org", "several", "one domain per entry"),
    ("example .com", "several", "one domain per entry"),
    ("exam\x00ple.com", "several", "one domain per entry"),
    ("exam\x7fple.com", "several", "one domain per entry"),
    ("ftp://example.com", "scheme", "Only websites"),
    ("file:///index.html", "scheme", "Only websites"),
    ("ws://example.com", "scheme", "Only websites"),
    ("chrome-extension://abcdef", "scheme", "Only websites"),
    ("capacitor://localhost", "scheme", "Only websites"),
    ("://example.com", "scheme", "Only websites"),
    ("https:example.com", "scheme", "two slashes"),
    ("HTTPS:/example.com", "scheme", "two slashes"),
    ("https:\\\\example.com", "scheme", "two slashes"),
    ("http://example.com", "scheme", "Write https://"),
    ("http://*.example.com", "scheme", "Write https://"),
    ("user@example.com", "userinfo", "the @"),
    ("https://user:word@example.com", "userinfo", "the @"),
    ("https://example.com@evil.test", "userinfo", "the @"),
    ("//example.com", "path", "after the domain"),
    ("example.com/shop", "path", "after the domain"),
    ("https://example.com/shop/", "path", "after the domain"),
    ("https://example.com//", "path", "after the domain"),
    ("https:////example.com", "path", "after the domain"),
    ("https://https://example.com", "path", "after the domain"),
    ("example.com?x=1", "path", "after the domain"),
    ("example.com#top", "path", "after the domain"),
    ("example.com\\shop", "path", "after the domain"),
    ("ex%61mple.com", "path", "after the domain"),
    ("*", "wildcard", "*.example.com"),
    ("https://*", "wildcard", "*.example.com"),
    ("**.example.com", "wildcard", "*.example.com"),
    ("*.*.example.com", "wildcard", "*.example.com"),
    ("app-*.example.com", "expiry", "at most 90 days"),
    ("*example.com", "public_suffix", "*.example.com"),
    ("example.*", "wildcard", "*.example.com"),
    ("a.*.example.com", "wildcard", "*.example.com"),
    ("example.com:*", "port", "1 to 65535"),
    ("*.203.0.113.7", "wildcard", "no subdomains"),
    ("*.[2001:db8::1]", "wildcard", "no subdomains"),
    ("*.com", "name", "whole domain"),
    ("*.co.uk", "public_suffix", "Strangers"),
    ("*.github.io", "public_suffix", "Strangers"),
    ("*.vercel.app", "public_suffix", "Strangers"),
    ("*.pages.dev", "public_suffix", "Strangers"),
    ("*.kawasaki.jp", "public_suffix", "Strangers"),
    ("*.x.kawasaki.jp", "public_suffix", "Strangers"),
    ("*.公司.cn", "public_suffix", "Strangers"),
    ("example.com:", "port", "1 to 65535"),
    ("example.com:0", "port", "1 to 65535"),
    ("example.com:65536", "port", "1 to 65535"),
    ("example.com:99999", "port", "1 to 65535"),
    ("example.com:0443", "port", "1 to 65535"),
    ("example.com:+443", "port", "1 to 65535"),
    ("example.com:0x1bb", "port", "1 to 65535"),
    ("example.com:\uff14\uff14\uff13", "port", "1 to 65535"),
    ("example.com:https", "port", "1 to 65535"),
    ("mailto:me", "port", "1 to 65535"),
    ("[2001:db8::1]:", "port", "1 to 65535"),
    ("https://", "name", "missing"),
    (":443", "name", "missing"),
    ("*.", "name", "missing"),
    (".example.com", "name", "*.example.com"),
    ("example.com.", "name", "dot at the end"),
    ("example.com.:8443", "name", "dot at the end"),
    ("a..example.com", "name", "1 to 63"),
    ("-a.example.com", "name", "1 to 63"),
    ("a-.example.com", "name", "1 to 63"),
    ("a" * 64 + ".example.com", "name", "1 to 63"),
    ("<script>.example.com", "name", "1 to 63"),
    ("${host}.example.com", "name", "1 to 63"),
    ("'example.com'", "name", "1 to 63"),
    ("example\uff0fpath.com", "name", "1 to 63"),
    ("☕.example", "name", "xn--"),
    ("a\u202eb.example", "name", "by hand"),
    ("\ud800.example", "name", "by hand"),
    ("xn--a.example", "name", "no valid international name"),
    ("xn--99999999.example", "name", "no valid international name"),
    ("xn--bcher-kva-.example", "name", "1 to 63"),
    ("com", "name", "whole domain"),
    ("example", "name", "whole domain"),
    ("null", "name", "whole domain"),
    ("localhost", "local", "development"),
    ("https://localhost:5173", "local", "development"),
    ("http://localhost:5173", "local", "development"),
    ("shop.localhost", "local", "development"),
    ("127.0.0.1", "local", "development"),
    ("127.8.8.8", "local", "development"),
    ("[::1]:8000", "local", "development"),
    ("203.0.113", "address", "four numbers"),
    ("203.0.113.256", "address", "four numbers"),
    ("203.0.113.07", "address", "four numbers"),
    ("1203.0.113.7", "address", "four numbers"),
    ("203.0.113.7.", "name", "dot at the end"),
    ("3405803783", "address", "four numbers"),
    ("0xcb007107", "address", "four numbers"),
    ("example.0x1", "address", "four numbers"),
    ("a.b.123", "address", "four numbers"),
    ("2001:db8::1", "address", "in brackets"),
    ("example.com:443:443", "address", "one port"),
    ("[2001:db8::1", "address", "in brackets"),
    ("[2001:db8::1]x", "address", "in brackets"),
    ("[]", "address", "in brackets"),
    ("[::g]", "address", "in brackets"),
    ("[v1.x]", "address", "in brackets"),
    ("[203.0.113.7]", "address", "in brackets"),
    ("[fe80::1%eth0]", "path", "after the domain"),
    ("[::ffff:203.0.113.7]", "address", "an IPv4 address as"),
    ("cdn.platform.openai.com", "reserved", "ChatKit's own frame"),
    ("https://CDN.platform.openai.com:443/", "reserved", "ChatKit's own frame"),
]


@pytest.mark.proof("O6")
@pytest.mark.parametrize(("typed", "canonical"), CANONICAL, ids=ascii)
def test_it_becomes_what_a_browser_sends(typed, canonical):
    rule = parse_entry(typed)

    assert str(rule) == canonical
    assert parse_entry(str(rule)) == rule
    origin = canonical.replace("*.", "below.")
    assert OriginRules([rule]).decide(origin, now=NOW)


@pytest.mark.proof("O6")
@pytest.mark.parametrize(("typed", "canonical"), CANONICAL_FOR_DEVELOPMENT, ids=ascii)
def test_what_only_development_needs_takes_an_explicit_choice(typed, canonical):
    rule = parse_entry(typed, allow_http=True)

    assert str(rule) == canonical
    assert OriginRules([rule]).decide(canonical.replace("*.", "below."), now=NOW)
    with pytest.raises(EntryRefused):
        parse_entry(typed)


@pytest.mark.proof("O6")
@pytest.mark.parametrize(("typed", "reason", "cure"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_it_is_refused_with_the_cure(typed, reason, cure):
    with pytest.raises(EntryRefused) as refusal:
        parse_entry(typed)

    assert refusal.value.reason == reason
    assert cure in refusal.value.message
    assert str(refusal.value) == refusal.value.message


def test_a_local_address_is_typed_with_its_scheme():
    with pytest.raises(EntryRefused, match="Write http:// or https://"):
        parse_entry("localhost:5173", allow_http=True)


@pytest.mark.proof("O6")
def test_a_wildcard_on_a_public_suffix_takes_an_explicit_choice():
    rule = parse_entry("*.vercel.app", allow_public_suffix=True)

    assert rule == OriginRule("https", "vercel.app", None, include_subdomains=True)


@pytest.mark.proof("O6")
def test_the_tables_are_long_enough():
    assert len(CANONICAL) + len(CANONICAL_FOR_DEVELOPMENT) + len(REFUSED) >= 120
