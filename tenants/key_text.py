"""What may be pasted as a tenant's OpenAI key: told apart by prefix, and never repeated in what we answer."""

import re
from enum import StrEnum
from typing import Final, NoReturn

from encryption.secret import Secret

PREFIX: Final = "sk-"
# Below this, the four characters that we show again would leave less than 128 bits unknown.
MIN_LENGTH: Final = 29
# OpenAI's keys have grown from 51 to 164 characters; their length is not documented.
MAX_LENGTH: Final = 512
WHERE: Final = "You find it at platform.openai.com/api-keys."
_SHORTENED = re.compile(r"\*{2,}|\.{3}|…|•")


class KeyProblem(StrEnum):
    BLANK = "blank"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    SHORTENED = "shortened"
    NOT_ASCII = "not_ascii"
    BLANKS_INSIDE = "blanks_inside"
    ADMIN_KEY = "admin_key"
    CLIENT_SECRET = "client_secret"
    DOMAIN_KEY = "domain_key"
    WORKFLOW = "workflow"
    NO_PREFIX = "no_prefix"


class KeyRefused(ValueError):
    """What was pasted is no key for ChatKit; the message says the cure and holds nothing of what was pasted."""

    def __init__(self, reason: KeyProblem, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def read_key_text(text: str) -> Secret:
    """The key that was pasted, without the blanks around it; raises KeyRefused.

    Only the form is judged, and no more of it than must be: OpenAI has changed its keys before, and whether a key works is
    for the key check to say.
    """
    pasted = text.strip()
    if not pasted:
        _refuse(KeyProblem.BLANK, f"Paste the key: it starts with “sk-”. {WHERE}")
    if len(pasted) > MAX_LENGTH:
        _refuse(
            KeyProblem.TOO_LONG,
            f"This is longer than any key. Paste the key only, without the lines around it. {WHERE}",
        )
    if _SHORTENED.search(pasted):
        _refuse(
            KeyProblem.SHORTENED,
            "This is the shortened form that OpenAI shows in lists. A key can be copied only when it is made: make a new one "
            "at platform.openai.com/api-keys.",
        )
    if not pasted.isascii() or not pasted.replace("\t", " ").replace("\n", " ").replace("\r", " ").isprintable():
        _refuse(
            KeyProblem.NOT_ASCII,
            f"This holds a character that no key has, perhaps an invisible one. Copy the key from OpenAI itself. {WHERE}",
        )
    if re.search(r"\s", pasted):
        _refuse(KeyProblem.BLANKS_INSIDE, "There are blanks or line breaks inside. Copy the key anew, as one piece.")
    _refuse_other_credentials(pasted)
    if len(pasted) < MIN_LENGTH:
        _refuse(KeyProblem.TOO_SHORT, f"This is too short to be a whole key. Copy all of it. {WHERE}")
    return Secret(pasted)


def _refuse_other_credentials(pasted: str) -> None:
    if pasted.startswith("sk-admin-"):
        _refuse(
            KeyProblem.ADMIN_KEY,
            "This is an admin key: it manages an organization and can't open chats. Use a project or service-account key, and "
            "since an admin key was pasted into a form, consider replacing it.",
        )
    if pasted.startswith("ek_"):
        _refuse(
            KeyProblem.CLIENT_SECRET,
            f"This is a session's client secret, which lives for minutes. Use an API key: “sk-…”. {WHERE}",
        )
    if pasted.startswith("domain_pk_"):
        _refuse(
            KeyProblem.DOMAIN_KEY,
            f"This is a domain's public key, which the hosted workflow doesn't need. Use an API key: “sk-…”. {WHERE}",
        )
    if pasted.startswith("wf_"):
        _refuse(
            KeyProblem.WORKFLOW, "This is a workflow ID: it belongs to the assistant. Here goes an API key: “sk-…”."
        )
    if not pasted.startswith(PREFIX):
        _refuse(
            KeyProblem.NO_PREFIX, f"An OpenAI API key starts with “sk-”, without quotes or a name before it. {WHERE}"
        )


def _refuse(reason: KeyProblem, message: str) -> NoReturn:
    raise KeyRefused(reason, message)
