"""Conversations: a thread belongs to one project and one `user`, whichever session or key of the project made it."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

TITLE_LENGTH = 60


class HasId(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=HasId)


@dataclass(frozen=True)
class Item:
    """One message: `role` is `user` or `assistant`."""

    id: str
    thread_id: str
    role: str
    text: str
    created_at: float

    def resource(self) -> dict[str, Any]:
        """As `GET /v1/chatkit/threads/{id}/items` shows it."""
        common = {
            "id": self.id,
            "object": "chatkit.thread_item",
            "created_at": int(self.created_at),
            "thread_id": self.thread_id,
            "type": f"chatkit.{self.role}_message",
        }
        if self.role == "user":
            content = [{"type": "input_text", "text": self.text}]
            return {**common, "content": content, "attachments": [], "inference_options": None}
        return {**common, "content": [{"type": "output_text", "text": self.text, "annotations": []}]}


@dataclass
class Thread:
    id: str
    project: str
    user: str
    title: str | None
    created_at: float
    items: list[Item] = field(default_factory=list)

    def resource(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chatkit.thread",
            "created_at": int(self.created_at),
            "title": self.title,
            "user": self.user,
            "status": {"type": "active"},
        }

    def add(self, role: str, text: str) -> Item:
        item = Item(f"cthi_{secrets.token_hex(24)}", self.id, role, text, time.time())
        self.items.append(item)
        return item


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    has_more: bool


class Threads:
    def __init__(self) -> None:
        self.by_id: dict[str, Thread] = {}

    def create(self, *, project: str, user: str, title: str | None = None) -> Thread:
        thread = Thread(f"cthr_{secrets.token_hex(24)}", project, user, title, time.time())
        self.by_id[thread.id] = thread
        return thread

    def find(self, thread_id: str, *, project: str, user: str | None = None) -> Thread | None:
        thread = self.by_id.get(thread_id)
        if thread is None or thread.project != project:
            return None
        return thread if user is None or thread.user == user else None

    def delete(self, thread: Thread) -> None:
        self.by_id.pop(thread.id, None)

    def of(self, *, project: str, user: str | None = None) -> list[Thread]:
        """Oldest first; every user of the project when none is named, as at OpenAI."""
        return [row for row in self.by_id.values() if row.project == project and user in (None, row.user)]

    def dump(self) -> list[dict[str, Any]]:
        return [asdict(thread) for thread in self.by_id.values()]

    def load(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self.by_id[row["id"]] = Thread(**{**row, "items": [Item(**item) for item in row["items"]]})


def page_of(
    rows: list[Row], *, limit: int, descending: bool, after: str | None = None, before: str | None = None
) -> Page[Row]:
    """One page of rows that come oldest first; raises KeyError for a cursor that is not among them."""
    ordered = list(reversed(rows)) if descending else list(rows)
    places = {row.id: place for place, row in enumerate(ordered)}
    if before:
        ordered = ordered[: places[before]]
    if after:
        ordered = ordered[places[after] + 1 :]
    return Page(ordered[:limit], len(ordered) > limit)


def title_for(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
