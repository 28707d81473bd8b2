"""What the chat server must know of an assistant that the platform runs, in one immutable value."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from tenants.models import AgentVersion


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """A version as it stands; `number` is None for the draft. `client_tools` are {name, description, parameters}."""

    version_id: uuid.UUID
    number: int | None
    instructions: str = field(repr=False)
    model: str
    vector_store_ids: tuple[str, ...]
    web_search: bool
    client_tools: tuple[dict[str, Any], ...]
    ask_visitor: bool
    max_input_chars: int
    max_turns: int
    max_output_tokens: int

    @classmethod
    def of(cls, version: AgentVersion) -> "AgentSnapshot":
        return cls(
            version_id=version.id,
            number=version.number,
            instructions=version.instructions,
            model=version.model,
            vector_store_ids=tuple(version.vector_store_ids),
            web_search=version.web_search,
            client_tools=tuple(version.client_tools),
            ask_visitor=version.ask_visitor,
            max_input_chars=version.max_input_chars,
            max_turns=version.max_turns,
            max_output_tokens=version.max_output_tokens,
        )


def load_agent_version(assistant_id: uuid.UUID, version_id: uuid.UUID) -> AgentSnapshot | None:
    """Any version of the assistant, its draft included, or None where it has no such one; for a preview that tries it.

    Reads the database, so keep the answer until the configuration's epoch changes (`ConfigEpoch`), and no longer.
    """
    version = AgentVersion.objects.filter(pk=version_id, assistant_id=assistant_id).first()
    return None if version is None else AgentSnapshot.of(version)
