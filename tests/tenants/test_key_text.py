import secrets

import pytest

from tenants.key_text import KeyProblem, KeyRefused, read_key_text
from tests.tenants.cast import key_text

TAIL = secrets.token_hex(20)
REFUSED = [
    ("", KeyProblem.BLANK),
    (" \t\n", KeyProblem.BLANK),
    ("sk-admin-" + TAIL, KeyProblem.ADMIN_KEY),
    ("ek_" + TAIL, KeyProblem.CLIENT_SECRET),
    ("domain_pk_" + TAIL, KeyProblem.DOMAIN_KEY),
    ("wf_" + TAIL, KeyProblem.WORKFLOW),
    (TAIL, KeyProblem.NO_PREFIX),
    ("SK-" + TAIL, KeyProblem.NO_PREFIX),
    ('"sk-' + TAIL + '"', KeyProblem.NO_PREFIX),
    ("OPENAI_API_KEY=sk-" + TAIL, KeyProblem.NO_PREFIX),
    ("Bearer sk-" + TAIL, KeyProblem.BLANKS_INSIDE),
    ("sk-" + TAIL[:20] + " " + TAIL[20:], KeyProblem.BLANKS_INSIDE),
    ("sk-" + TAIL[:20] + "\n" + TAIL[20:], KeyProblem.BLANKS_INSIDE),
    ("sk-" + TAIL[:20] + "\x00" + TAIL[20:], KeyProblem.NOT_ASCII),
    ("sk-" + TAIL[:20] + "\N{ZERO WIDTH SPACE}" + TAIL[20:], KeyProblem.NOT_ASCII),
    ("sk-" + TAIL[:20] + "\N{NO-BREAK SPACE}" + TAIL[20:], KeyProblem.NOT_ASCII),
    ("sk-proj-\N{CYRILLIC SMALL LETTER A}" + TAIL, KeyProblem.NOT_ASCII),
    ("sk-" + "\ud800" + TAIL, KeyProblem.NOT_ASCII),
    ("sk-…" + TAIL[:4], KeyProblem.SHORTENED),
    ("sk-..." + TAIL[:4], KeyProblem.SHORTENED),
    ("sk-proj-****" + TAIL[:4], KeyProblem.SHORTENED),
    ("sk-" + TAIL[:10], KeyProblem.TOO_SHORT),
    ("sk-" + "a" * 510, KeyProblem.TOO_LONG),
]


@pytest.mark.parametrize("around", ["", " ", "\n", "\t"])
@pytest.mark.parametrize("kind", ["proj", "svcacct", "None", "somethingnew"])
def test_a_key_is_taken_without_the_blanks_around_it(kind: str, around: str) -> None:
    text = key_text(kind)

    key = read_key_text(around + text + around)

    assert key.reveal() == text


@pytest.mark.proof("K12")
@pytest.mark.parametrize(("pasted", "reason"), REFUSED)
def test_anything_else_is_refused_with_its_reason(pasted: str, reason: KeyProblem) -> None:
    with pytest.raises(KeyRefused) as refusal:
        read_key_text(pasted)

    assert refusal.value.reason is reason
    assert refusal.value.message.endswith(".")


@pytest.mark.proof("K12")
def test_no_refusal_repeats_any_part_of_a_thousand_damaged_keys() -> None:
    damages = [
        lambda key: "sk-admin-" + key,
        lambda key: "ek_" + key,
        lambda key: key[3:],
        lambda key: key[:10] + " " + key[10:],
        lambda key: key + "\N{ZERO WIDTH JOINER}" + key,
        lambda key: key * 30,
        lambda key: key[:25],
        lambda key: "domain_pk_" + key,
        lambda key: key + "…",
        lambda key: "wf_" + key,
    ]
    for number in range(1000):
        damaged = damages[number % len(damages)](key_text())

        with pytest.raises(KeyRefused) as refusal:
            read_key_text(damaged)

        shown = f"{refusal.value} {refusal.value!r} {refusal.value.args}"
        secret_part = damaged[damaged.find("proj-") + 5 :] if "proj-" in damaged else damaged
        assert not [at for at in range(len(secret_part) - 8) if secret_part[at : at + 8] in shown]


@pytest.mark.proof("K11")
def test_what_is_shown_of_the_shortest_key_leaves_128_bits_unknown() -> None:
    from tenants.key_text import MIN_LENGTH, PREFIX

    unknown_characters = MIN_LENGTH - len(PREFIX) - 4

    assert unknown_characters * 5.95 >= 128  # base62
