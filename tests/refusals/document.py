"""docs/refusals.md, made from the code: what the three readers of a refusal are told, code by code."""

import re
from pathlib import Path
from typing import Final

from gateway.errors import Code, PublicError
from sessions_api.outcome_words import explain
from sessions_api.outcomes import group_of
from tests.refusals.frontend import english, is_tried_again, state_of, title_of

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
FILE: Final = DOCS / "refusals.md"
# Refused before any tenant is known, so the ledger has no row.
UNRECORDED: Final = {Code.NOT_FOUND, Code.HOST_INVALID, Code.HTTPS_REQUIRED}
INTRODUCTION: Final = """\
# Refusals: who reads what

For the operator whom somebody asks "what does this mean?", and for whoever changes a word. Made from the code by
`python -m tests.refusals`; a test compares the two. Causes and cures at length: [troubleshooting.md](troubleshooting.md). The
shape of an answer, and which endpoint can give which code: [openapi-public.yaml](openapi-public.yaml).

| reader | where | source of the words |
|---|---|---|
| the visitor | the panel of the chat, in the page's language | `frontend/embed/src/panel-strings.ts`, `strings.ts` |
| the page's developer | the browser's console, and `error.message` of the answer | `platform/gateway/errors.py` |
| the operator | *Session requests*: what the page was told, and what lay behind it | `sessions_api/outcome_words.py` |

Of a refusal the panel shows the developer's sentence too: he is the first to see it. "Unavailable" also shows the
tenant's own fallback text and link, and the button “{retry}”, which waits for `retry_after`. What is *tried again* the script
repeats by itself, up to three times in 10 s, before it says anything.

At a limit of a chat that the platform serves, the answer carries the tenant's own words for the visitor in `error.words`, where
the tenant has given any (*Limit text* on its page).
"""


def reasons() -> dict[str, list[str]]:
    """By code, the reasons that the table of troubleshooting.md has with it; under "" those that go with several codes."""
    table = (DOCS / "troubleshooting.md").read_text().partition("## What lies behind a code")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for names, code in re.findall(r"^\| (`.*?) \| (.*?) \|", table, flags=re.MULTILINE):
        named = re.findall(r"`([a-z_]+)`", code) or [""]
        for each in named:
            found.setdefault(each, []).extend(re.findall(r"`([a-z_]+)`", names))
    return found


def document() -> str:
    with_codes = reasons()
    several = "\n".join(f"- `{reason}`: {explain('upstream_unavailable', reason).behind}" for reason in with_codes[""])
    return "\n".join(
        [
            INTRODUCTION.format(retry=english()["retry"]),
            *(_section(code, with_codes.get(code.value, [])) for code in Code),
            f"## Reasons that go with several codes\n\nOn the operator's page:\n\n{several}\n",
        ]
    )


def _section(code: Code, its_reasons: list[str]) -> str:
    error = PublicError(code)
    waits = "" if error.retry_after is None else f", `Retry-After: {error.retry_after}` unless more is known"
    lines = [
        f"## `{code}`\n",
        f"Status {error.status}{waits}.\n",
        "| reader | reads |",
        "|---|---|",
        f"| the visitor's page | {_panel(code)} |",
        f"| the developer's console | `[ChatKitPlatform] {code}: {error.message}` |",
        f"| the operator's page | {_operator(code)} |",
    ]
    lines += [f"| … `{reason}` | {explain(code, reason).behind} |" for reason in its_reasons]
    return "\n".join([*lines, ""])


def _panel(code: Code) -> str:
    said = f"**{title_of(code)}**"
    if state_of(code) == "refused":
        return f"{said}, and the sentence of the console."
    return f"{said}{'; tried again first' if is_tried_again(code) else ''}."


def _operator(code: Code) -> str:
    group = "no row: no tenant is known" if code in UNRECORDED else group_of(code).label
    return f"({group}) {explain(code, '').behind}"
