"""A link opens one file of one visitor's for one deed, for ten minutes, at one tenant."""

import uuid
from dataclasses import replace

import pytest

from encryption.signed import sign
from gateway.chat_tokens import CHAT_TOKEN
from gateway.file_links import CLOCK_SKEW, LIFETIME, FileAction, FileGrant, mint_file_link, read_file_link

TENANT = "tn_a"
NOW = 1_800_000_000
FILE = "atc_" + "0" * 32
GRANT = FileGrant(FileAction.UPLOAD, FILE, uuid.UUID(int=7), "f" * 32, NOW, tenant_epoch=3, assistant_epoch=4)


def read(link: str, **asked: object) -> FileGrant | None:
    asked = {"tenant_public_id": TENANT, "attachment_id": FILE, "action": FileAction.UPLOAD, "now": NOW, **asked}
    return read_file_link(link, **asked)  # type: ignore[arg-type]


def test_what_was_granted_comes_back() -> None:
    link = mint_file_link(GRANT, tenant_public_id=TENANT)

    assert read(link) == GRANT
    assert len(link) < 400


@pytest.mark.parametrize(
    "asked",
    [
        {"tenant_public_id": "tn_b"},
        {"attachment_id": "atc_" + "1" * 32},
        {"action": FileAction.PREVIEW},
        {"now": NOW + LIFETIME},
        {"now": NOW - CLOCK_SKEW - 1},
    ],
)
def test_for_anything_else_it_grants_nothing(asked: dict[str, object]) -> None:
    assert read(mint_file_link(GRANT, tenant_public_id=TENANT), **asked) is None


def test_until_its_last_second_it_counts() -> None:
    assert read(mint_file_link(GRANT, tenant_public_id=TENANT), now=NOW + LIFETIME - 1) == GRANT


def test_no_changed_character_goes_unnoticed() -> None:
    link = mint_file_link(replace(GRANT, action=FileAction.PREVIEW), tenant_public_id=TENANT)
    for place, character in enumerate(link):
        other = "b" if character != "b" else "c"
        assert read(link[:place] + other + link[place + 1 :], action=FileAction.PREVIEW) is None


def test_a_token_of_another_kind_is_no_link() -> None:
    for text in ("", "fl1", sign(CHAT_TOKEN, b"{}", context=TENANT)):
        assert read(text) is None
