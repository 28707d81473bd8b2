"""The accounts of the sandbox: keys, the projects they belong to, and the workflows of each project.

A key is remembered by its SHA-256 only. A key nobody registered is invalid, with one exception that lets a person
try the demo by hand: under the policy `prefix` (the default) a key that starts with `sk-sandbox-` is registered at
first sight as valid in project `proj_sandbox`, where every workflow `wf_sandbox_…` exists.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sandbox import errors

OPEN_KEY_PREFIX = "sk-sandbox-"
OPEN_PROJECT = "proj_sandbox"
OPEN_WORKFLOW_PREFIX = "wf_sandbox_"


class KeyState(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    UNSCOPED = "unscoped"
    MODELS_UNSCOPED = "models_unscoped"  # ChatKit works, GET /models does not: a restricted key
    BILLING = "billing"
    THROTTLED = "throttled"
    IP_BLOCKED = "ip_blocked"
    NOT_MEMBER = "not_member"
    FORBIDDEN = "forbidden"
    REGION_BLOCKED = "region_blocked"


class UnknownKeys(StrEnum):
    PREFIX = "prefix"
    INVALID = "invalid"


@dataclass
class Key:
    """`times` counts down the calls for which `state` holds; then the key is valid again. None: until changed."""

    fingerprint: str
    masked: str
    project: str
    state: KeyState = KeyState.VALID
    code: str = ""
    retry_after: int | None = 20
    times: int | None = None


@dataclass
class Project:
    id: str
    organization: str
    workflows: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def has_workflow(self, workflow_id: str) -> bool:
        if workflow_id in self.missing:
            return False
        if workflow_id in self.workflows:
            return True
        return self.id == OPEN_PROJECT and workflow_id.startswith(OPEN_WORKFLOW_PREFIX)


def fingerprint_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]


class Accounts:
    def __init__(self) -> None:
        self.unknown_keys = UnknownKeys.PREFIX
        self.keys: dict[str, Key] = {}
        self.projects: dict[str, Project] = {}

    def project(self, project_id: str, *, organization: str = "") -> Project:
        """The project, made when it is first named."""
        known = self.projects.get(project_id)
        if known is None:
            known = Project(project_id, organization or f"org-{project_id.removeprefix('proj_')}")
            self.projects[project_id] = known
        elif organization:
            known.organization = organization
        return known

    def add_key(self, key: str, *, project: str = OPEN_PROJECT, organization: str = "") -> Key:
        self.project(project, organization=organization)
        record = Key(fingerprint_of(key), errors.mask(key), project)
        self.keys[record.fingerprint] = record
        return record

    def admit(self, bearer: str, *, path: str) -> Key:
        """The record of a presented key, or the Refusal that its state brings."""
        record = self.keys.get(fingerprint_of(bearer))
        if record is None and self.unknown_keys is UnknownKeys.PREFIX and bearer.startswith(OPEN_KEY_PREFIX):
            record = self.add_key(bearer)
        if record is None:
            raise errors.invalid_key(bearer)
        refusal = _refusal(record, bearer, path)
        if refusal is None:
            return record
        if record.times is not None:
            record.times -= 1
            if record.times <= 0:
                record.state, record.times = KeyState.VALID, None
        raise refusal

    def dump(self) -> dict[str, Any]:
        return {
            "unknown_keys": self.unknown_keys,
            "keys": [asdict(key) for key in self.keys.values()],
            "projects": [
                {
                    "id": project.id,
                    "organization": project.organization,
                    "workflows": sorted(project.workflows),
                    "missing": sorted(project.missing),
                }
                for project in self.projects.values()
            ],
        }

    def load(self, data: dict[str, Any]) -> None:
        self.unknown_keys = UnknownKeys(data["unknown_keys"])
        self.keys = {item["fingerprint"]: Key(**{**item, "state": KeyState(item["state"])}) for item in data["keys"]}
        self.projects = {
            item["id"]: Project(item["id"], item["organization"], set(item["workflows"]), set(item["missing"]))
            for item in data["projects"]
        }


def _scope(path: str) -> str:
    """The scope that a restricted key needs for this path."""
    if "/models" in path:
        return "api.model.read"
    if "/vector_stores" in path:
        return "api.vector_stores.read"
    return "api.responses.write" if path.endswith("/responses") else "api.chatkit.write"


def _refusal(record: Key, bearer: str, path: str) -> errors.Refusal | None:
    match record.state:
        case KeyState.INVALID:
            return errors.invalid_key(bearer)
        case KeyState.UNSCOPED:
            return errors.missing_scopes(_scope(path))
        case KeyState.MODELS_UNSCOPED:
            return errors.missing_scopes(_scope(path)) if _scope(path) == "api.model.read" else None
        case KeyState.BILLING:
            return errors.billing(record.code or errors.BILLING_CODES[0])
        case KeyState.THROTTLED:
            return errors.throttled(record.retry_after, code=record.code or errors.THROTTLE_CODES[0])
        case KeyState.IP_BLOCKED:
            return errors.ip_not_authorised()
        case KeyState.NOT_MEMBER:
            return errors.not_a_member()
        case KeyState.FORBIDDEN:
            return errors.permission_denied()
        case KeyState.REGION_BLOCKED:
            return errors.unsupported_region()
        case KeyState.VALID:
            return None
