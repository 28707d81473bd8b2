"""Why an Origin header passes or not, in words that an admin can act on: what is the case, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tenants.hosts import EntryProblem
from tenants.origin_entries import EntryRefused, parse_entry
from tenants.origins import OriginRule, Reason, Verdict

# So many entries that come near are named.
NEAREST: Final = 3


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """`near` says of entries that almost match what the difference is."""

    sentence: str
    cure: str
    near: tuple[str, ...] = ()


_FIXED: Final = {
    Reason.MISSING: VerdictWords(
        "No Origin header: browsers send one with every call of a page, programs do not.",
        "Call from a page. If pages are refused like this, a proxy drops the header: let it pass Origin on.",
    ),
    Reason.NULL: VerdictWords(
        "The page has no origin of its own: a file, a data: address, or a sandboxed frame.",
        "Serve the page from a website. For a frame, add allow-same-origin to its sandbox.",
    ),
}


def explain(header: str | None, verdict: Verdict, rules: Iterable[OriginRule]) -> VerdictWords:
    """For the raw value of the header, None where there is none, the verdict on it, and the list that it was decided by."""
    if verdict.reason in _FIXED:
        return _FIXED[verdict.reason]
    if verdict.reason is Reason.MALFORMED:
        return VerdictWords("No browser writes an origin like this.", _form_cure(header or ""))
    if verdict.rule is not None:
        day = verdict.rule.expires_on
        if verdict.reason is Reason.EXPIRED:
            return VerdictWords(
                f"The pattern {verdict.rule} fits, but its last day was {day} (UTC).",
                "Choose a later last day on the tenant's page, or allow this one website for good.",
            )
        return VerdictWords(f"{verdict.rule} matches{f', until the end of {day} (UTC)' if day else ''}.", "")
    return _not_listed(header or "", rules)


def _form_cure(header: str) -> str:
    try:
        meant = parse_entry(header, allow_http=True)
    except EntryRefused as refusal:
        if refusal.reason is EntryProblem.SEVERAL:
            return "A browser sends one origin, without blanks and commas: a program or a proxy has put this together."
        return f"A program sent this. {refusal.message}"
    return f"A browser on that website sends {meant}: scheme, host and port in lower case, and nothing else."


def _not_listed(header: str, rules: Iterable[OriginRule]) -> VerdictWords:
    try:
        asked = parse_entry(header, allow_http=True)
    except EntryRefused as refusal:
        is_reserved = refusal.reason is EntryProblem.RESERVED
        sentence = "This can never be on a list." if is_reserved else "No entry matches, and it can't be one itself."
        return VerdictWords(sentence, refusal.message)
    near = [difference for rule in rules if (difference := _difference(asked, rule))]
    return VerdictWords(
        "No entry of the list matches.",
        f"If this website is the tenant's, add {asked} to the list, exactly like this. If not: this is what the list is for.",
        tuple(near[:NEAREST]),
    )


def _difference(asked: OriginRule, rule: OriginRule) -> str:
    """Why an entry that comes near does not match; blank for one that doesn't come near."""
    if rule.is_pattern:
        if asked.parent == rule.parent:
            return (
                f"{rule}: the star stands for one or more letters, digits and hyphens of the first part; scheme and port "
                "count too."
            )
        return ""
    if rule.include_subdomains:
        if asked.host == rule.host:
            return f"{rule}: means the names below {rule.host}, not {rule.host} itself."
        return _parts(asked, rule) if asked.host.endswith(f".{rule.host}") else ""
    if asked.host == rule.host:
        return _parts(asked, rule)
    if f"www.{asked.host}" == rule.host or asked.host == f"www.{rule.host}":
        return f"{rule}: with and without www. are two websites."
    return ""


def _parts(asked: OriginRule, rule: OriginRule) -> str:
    different = [
        name
        for name, is_same in (("scheme", asked.scheme == rule.scheme), ("port", asked.port == rule.port))
        if not is_same
    ]
    return f"{rule}: the {' and the '.join(different)} differ{'' if len(different) > 1 else 's'}." if different else ""
