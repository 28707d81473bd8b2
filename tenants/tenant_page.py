"""What a tenant's page in the admin shows, and how rooms above add to it: they register, and are never imported here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from tenants.models import ApiKey, Assistant, Tenant, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do before the chat works on the tenant's website. `url` leads to where it is done."""

    title: str
    note: str
    is_done: bool
    url: str = ""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page and its panels are drawn from; keys are those in use, oldest first, without their tokens."""

    tenant: Tenant
    keys: tuple[ApiKey, ...]
    retired_keys: tuple[ApiKey, ...]
    assistants: tuple[Assistant, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page with an id, so that the page can lead to it. `html` is empty where there is nothing to show.

    It stands below the tenant's settings, or above everything else where it `comes_first`.
    """

    anchor: str
    title: str
    html: SafeString
    comes_first: bool = False


StepMaker = Callable[[PageFacts], Step]
PanelMaker = Callable[[HttpRequest, PageFacts], SafeString]

_steps: Final[list[StepMaker]] = []
_panels: Final[list[tuple[PanelMaker, str, str, bool]]] = []


def register_step(maker: StepMaker) -> None:
    """Adds a step after those of this room. Call it in `AppConfig.ready`."""
    _steps.append(maker)


def register_panel(maker: PanelMaker, *, anchor: str, title: str, comes_first: bool = False) -> None:
    """Adds a panel; `anchor` is its section's id. Call it in `AppConfig.ready`."""
    _panels.append((maker, anchor, title, comes_first))


def page_facts(tenant: Tenant) -> PageFacts:
    keys = list(
        ApiKey.objects.filter(tenant=tenant).defer("token").prefetch_related("pairs__assistant").order_by("created_at")
    )
    assistants = (
        Assistant.objects.filter(tenant=tenant).prefetch_related("ranked_keys__key").order_by("-is_default", "name")
    )
    return PageFacts(
        tenant=tenant,
        keys=tuple(key for key in keys if not key.is_retired),
        retired_keys=tuple(key for key in keys if key.is_retired),
        assistants=tuple(assistants),
        domains=tuple(domain.entry for domain in tenant.domains.all()),
    )


def panels(request: HttpRequest, facts: PageFacts) -> list[Panel]:
    made = [Panel(anchor, title, make(request, facts), comes_first) for make, anchor, title, comes_first in _panels]
    return [panel for panel in made if panel.html]


def setup_steps(facts: PageFacts) -> list[Step]:
    """From nothing to a first session, in the order in which one does it."""
    working = [key for key in facts.keys if key.verdict == Verdict.HEALTHY]
    new = f"?tenant={facts.tenant.pk}"
    return [
        Step(
            "OpenAI key",
            "An API key of the tenant's own project.",
            bool(facts.keys),
            reverse("admin:tenants_apikey_add") + new,
        ),
        Step("Key checked", "OpenAI has accepted it.", bool(working), "#keys"),
        Step(
            "Assistant",
            "A published workflow, and the key that it uses.",
            any(assistant.ranked_keys.all() for assistant in facts.assistants),
            reverse("admin:tenants_assistant_add") + new,
        ),
        Step("Website", "The domain whose pages may open the chat.", bool(facts.domains), "#domains-group"),
        *(make(facts) for make in _steps),
    ]
