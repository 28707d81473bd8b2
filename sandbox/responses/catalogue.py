"""What a key of the sandbox can reach beside ChatKit: models, and as much of vector stores as a file search needs.

A store `vs_sandbox_…` exists in every project, like the workflows of the open one; others exist once they were created.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

MODELS = ("gpt-sandbox", "gpt-sandbox-mini")
OPEN_STORE_PREFIX = "vs_sandbox_"
CREATED = 1754425777


@dataclass
class Catalogue:
    """`prefixes`: the beginnings of inputs that were sent, by project, for the count of cached tokens."""

    missing_models: set[str] = field(default_factory=set)
    stores: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    prefixes: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def models(self) -> list[str]:
        return [name for name in MODELS if name not in self.missing_models]

    def has_model(self, name: str) -> bool:
        return name in self.models()

    def has_store(self, store_id: str, *, project: str) -> bool:
        return store_id.startswith(OPEN_STORE_PREFIX) or self.stores.get(store_id, ("",))[0] == project

    def create_store(self, name: str | None, *, project: str) -> dict[str, Any]:
        store = store_resource(f"vs_{secrets.token_hex(16)}", name)
        self.stores[store["id"]] = (project, store)
        return store


def store_resource(store_id: str, name: str | None) -> dict[str, Any]:
    counts = {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1}
    now = int(time.time())
    return {
        "id": store_id,
        "object": "vector_store",
        "created_at": now,
        "name": name,
        "usage_bytes": 1024,
        "file_counts": counts,
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": now,
        "metadata": {},
    }
