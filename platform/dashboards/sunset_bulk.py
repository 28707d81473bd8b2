"""Many assistants at once: a job of the person who began it, done in short steps, each assistant in a transaction of its own.

The job lies in the session. Every deed is safe to repeat, so whoever is cut off in the middle (a killed process, a closed page)
opens the page and goes on: what was done already is “unchanged”.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest

from audit.record import Actor
from tenants.models import Assistant, Backend
from tenants.switch import SwitchRefused, prepare_switch, switch_back, switch_backend
from tenants.versioning import NoSuchVersion
from tenants.versions import VERSIONS, publish

# More would make the session's row large; what is left is chosen next.
MOST: Final = 500
STEP: Final = 10
STEP_SECONDS: Final = 3.0
_PLACE: Final = "sunset_job"


class Deed(models.TextChoices):
    PREPARE = "prepare", "Prepare"
    PUBLISH = "publish", "Publish the drafts"
    SWITCH = "switch", "Switch"
    ROLL_BACK = "roll_back", "Roll back"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result`: done, unchanged or refused; `why` in words."""

    assistant: str
    result: str
    why: str = ""

    @property
    def tone(self) -> str:
        return {"done": "ok", "unchanged": "idle"}.get(self.result, "bad")


@dataclass(slots=True)
class Job:
    id: str
    deed: Deed
    left: list[str]
    total: int
    model: str = ""
    is_begun: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.total - len(self.left)

    def count(self, result: str) -> int:
        return sum(outcome.result == result for outcome in self.outcomes)


def plan_job(request: HttpRequest, deed: Deed, assistant_ids: Sequence[uuid.UUID]) -> Job:
    chosen = [str(each) for each in assistant_ids[:MOST]]
    job = Job(uuid.uuid4().hex, deed, chosen, len(chosen))
    keep_job(request, job)
    return job


def job_of(request: HttpRequest) -> Job | None:
    kept: dict[str, Any] | None = request.session.get(_PLACE)
    if kept is None:
        return None
    outcomes = [Outcome(**outcome) for outcome in kept["outcomes"]]
    return Job(**{**kept, "deed": Deed(kept["deed"]), "outcomes": outcomes})


def keep_job(request: HttpRequest, job: Job) -> None:
    request.session[_PLACE] = {**asdict(job), "deed": job.deed.value}


def drop_job(request: HttpRequest) -> None:
    request.session.pop(_PLACE, None)


def take_step(job: Job, actor: Actor) -> None:
    """Does the next few; where the time is up, fewer, but one at least."""
    job.is_begun = True
    ends = time.monotonic() + STEP_SECONDS
    for _ in range(min(STEP, len(job.left))):
        job.outcomes.append(_one(job, uuid.UUID(job.left[0]), actor))
        job.left.pop(0)
        if time.monotonic() > ends:
            return


def _one(job: Job, assistant_id: uuid.UUID, actor: Actor) -> Outcome:
    assistant = Assistant.objects.select_related("tenant", "published_version").filter(pk=assistant_id).first()
    if assistant is None:
        return Outcome("–", "refused", "It was deleted meanwhile.")
    name = f"{assistant.tenant} · {assistant}"
    try:
        with transaction.atomic():
            result, why = _do(job, assistant, actor)
    except SwitchRefused as refusal:
        return Outcome(name, "refused", str(refusal))
    except NoSuchVersion as refusal:
        return Outcome(name, "refused", str(refusal))
    except ValidationError as refusal:
        return Outcome(name, "refused", " ".join(refusal.messages))
    return Outcome(name, result, why)


def _do(job: Job, assistant: Assistant, actor: Actor) -> tuple[str, str]:
    if job.deed == Deed.PREPARE:
        known = VERSIONS.draft_of(assistant) or VERSIONS.published_of(assistant)
        version = prepare_switch(assistant=assistant, actor=actor, model=job.model)
        return ("unchanged" if known else "done"), f"{version}, with {version.model}"
    if job.deed == Deed.PUBLISH:
        if VERSIONS.draft_of(assistant) is None and VERSIONS.published_of(assistant) is not None:
            return "unchanged", "no draft waits"
        return "done", f"{publish(assistant=assistant, actor=actor)} is published"
    if job.deed == Deed.SWITCH:
        switched = switch_backend(assistant=assistant, to=Backend.PLATFORM, actor=actor)
    elif assistant.backend == Backend.HOSTED_WORKFLOW:
        # Its workflow answers already: to go back once more would lead forward again.
        return "unchanged", ""
    else:
        switched = switch_back(assistant=assistant, actor=actor)
    return ("done" if switched.outcome == "switched" else switched.outcome), " ".join(switched.warnings)
