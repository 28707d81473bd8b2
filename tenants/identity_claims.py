"""Which claims of a signed identity may reach the workflow: their names, as the admin's form takes them."""

import re
from typing import Final

MOST: Final = 20
# What the token itself is made of (RFC 7519) never reaches the workflow.
RESERVED: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")


class ClaimsRefused(ValueError):
    """The message names what is wrong, and how it should be."""


def read_claim_names(text: str) -> list[str]:
    """Names separated by commas, blanks or lines, each once, in their order. Raises ClaimsRefused."""
    names = list(dict.fromkeys(re.split(r"[\s,;]+", text.strip()))) if text.strip() else []
    names = [name for name in names if name]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ClaimsRefused(f"“{name[:64]}” is no name that can be used: 1 to 64 letters, digits and underscores.")
        if name in RESERVED:
            raise ClaimsRefused(f"“{name}” belongs to the token itself and never reaches the workflow. Leave it out.")
    if len(names) > MOST:
        raise ClaimsRefused(f"These are {len(names)} names; at most {MOST} are taken.")
    return names
