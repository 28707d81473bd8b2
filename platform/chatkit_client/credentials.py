"""What a call is made with: a tenant's key, which is shown to nobody but the transport."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,1024}")


class SupportsReveal(Protocol):
    """A secret that is given away only on an explicit word."""

    def reveal(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """A tenant's key, and the organization and project where the key needs them said."""

    key: SupportsReveal = field(repr=False)
    organization: str = ""
    project: str = ""

    def __post_init__(self) -> None:
        for value in (self.organization, self.project):
            if value and not HEADER_VALUE.fullmatch(value):
                raise ValueError("organization and project must be printable ASCII without blanks (org_…, proj_…)")
