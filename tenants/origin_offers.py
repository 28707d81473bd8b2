"""Whether an origin that was refused could be put on the list exactly as it is, and what that would take."""

from dataclasses import dataclass

from tenants.origin_entries import EntryRefused, is_for_development, parse_entry


@dataclass(frozen=True, slots=True)
class Offer:
    """`problem` is blank where the origin can be allowed; with `needs_choice` only by the choice for http and local names."""

    origin: str
    problem: str = ""
    needs_choice: bool = False


def offer_of(origin: str) -> Offer:
    try:
        rule = parse_entry(origin, allow_http=True)
    except EntryRefused as refusal:
        return Offer(origin, problem=refusal.message)
    if str(rule) != origin or rule.include_subdomains:
        return Offer(origin, problem="This is no origin as browsers send it. Type the website into the list.")
    return Offer(origin, needs_choice=is_for_development(rule))
