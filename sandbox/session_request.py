"""Reads the body of `POST /v1/chatkit/sessions` as the published schema (`CreateChatSessionBody`) demands.

`workflow.version` is not looked up, as at OpenAI: a made-up version is granted and fails at the first message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import errors

MAX_SECONDS = 600
MAX_STATE_VARIABLES = 64
MAX_STATE_KEY = 64
MAX_STATE_TEXT = 10_485_760
MAX_FILE_SIZE_MB = 512
ARTICLES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
}


@dataclass(frozen=True)
class SessionRequest:
    user: str
    workflow_id: str
    workflow_version: str | None = None
    state_variables: Mapping[str, Any] | None = None
    tracing: bool = True
    seconds: int = MAX_SECONDS
    requests_per_minute: int = 10
    titling: bool = True
    upload_enabled: bool = False
    upload_max_size: int = MAX_FILE_SIZE_MB
    upload_max_files: int = 10
    history_enabled: bool = True
    recent_threads: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def configuration(self) -> dict[str, Any]:
        return {
            "automatic_thread_titling": {"enabled": self.titling},
            "file_upload": {
                "enabled": self.upload_enabled,
                "max_file_size": self.upload_max_size,
                "max_files": self.upload_max_files,
            },
            "history": {"enabled": self.history_enabled, "recent_threads": self.recent_threads},
        }


def read_session_request(body: object) -> SessionRequest:
    """The request with OpenAI's defaults filled in; raises Refusal (400)."""
    if not isinstance(body, dict):
        raise errors.unparsable_body()
    top = _Reader(body, "")
    top.only("workflow", "user", "expires_after", "rate_limits", "chatkit_configuration")
    workflow = top.child("workflow", required=True)
    user = top.text("user", required=True)
    workflow.only("id", "version", "state_variables", "tracing")
    expires = top.child("expires_after")
    if expires.present:
        expires.only("anchor", "seconds")
        if expires.text("anchor", required=True) != "created_at":
            raise errors.invalid_value("expires_after.anchor", "Supported values are: 'created_at'.")
        if "seconds" not in expires.values:
            raise errors.missing_parameter("expires_after.seconds")
    rates = top.child("rate_limits").only("max_requests_per_1_minute")
    configuration = top.child("chatkit_configuration").only("automatic_thread_titling", "file_upload", "history")
    upload = configuration.child("file_upload").only("enabled", "max_file_size", "max_files")
    history = configuration.child("history").only("enabled", "recent_threads")
    return SessionRequest(
        user=user,
        workflow_id=workflow.text("id", required=True),
        workflow_version=workflow.text("version") or None,
        state_variables=_state_variables(workflow),
        tracing=workflow.child("tracing").only("enabled").flag("enabled", default=True),
        seconds=expires.integer("seconds", default=MAX_SECONDS, highest=MAX_SECONDS),
        requests_per_minute=rates.integer("max_requests_per_1_minute", default=10),
        titling=configuration.child("automatic_thread_titling").only("enabled").flag("enabled", default=True),
        upload_enabled=upload.flag("enabled", default=False),
        upload_max_size=upload.integer("max_file_size", default=MAX_FILE_SIZE_MB, highest=MAX_FILE_SIZE_MB),
        upload_max_files=upload.integer("max_files", default=10),
        history_enabled=history.flag("enabled", default=True),
        recent_threads=history.integer("recent_threads", default=0, lowest=1) or None,
        raw=body,
    )


def _state_variables(workflow: _Reader) -> Mapping[str, Any] | None:
    variables = workflow.child("state_variables")
    if not variables.present:
        return None
    name = variables.path
    if len(variables.values) > MAX_STATE_VARIABLES:
        raise errors.invalid_value(name, f"too many properties. Expected at most {MAX_STATE_VARIABLES}.")
    for key, value in variables.values.items():
        if len(key) > MAX_STATE_KEY:
            raise errors.invalid_value(name, f"a key is longer than {MAX_STATE_KEY} characters.")
        if not isinstance(value, str | int | float | bool):
            raise errors.invalid_type(f"{name}.{key}", "a string, integer, boolean or number", kind_of(value))
        if isinstance(value, str) and len(value) > MAX_STATE_TEXT:
            raise errors.invalid_value(f"{name}.{key}", "string too long.", code="string_above_max_length")
    return variables.values


def kind_of(value: object) -> str:
    return "null" if value is None else ARTICLES.get(type(value), "a value")


class _Reader:
    """One object of the body, with the dotted path that error messages name."""

    def __init__(self, values: dict[str, Any], path: str, *, present: bool = True) -> None:
        self.values = values
        self.path = path
        self.present = present

    def only(self, *names: str) -> _Reader:
        for name in self.values:
            if name not in names:
                raise errors.unknown_parameter(self._name(name))
        return self

    def child(self, name: str, *, required: bool = False) -> _Reader:
        value = self._value(name, dict, required=required)
        return _Reader(value or {}, self._name(name), present=value is not None)

    def text(self, name: str, *, required: bool = False) -> str:
        value = self._value(name, str, required=required)
        if value == "":
            text = "empty string. Expected a string with minimum length 1, but got an empty string instead."
            raise errors.invalid_value(self._name(name), text, code="empty_string")
        return value or ""

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._value(name, bool)
        return default if value is None else bool(value)

    def integer(self, name: str, *, default: int, lowest: int = 1, highest: int | None = None) -> int:
        value = self._value(name, int)
        if value is None:
            return default
        return bounded(self._name(name), value, lowest=lowest, highest=highest)

    def _name(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _value(self, name: str, kind: type, *, required: bool = False) -> Any:
        value = self.values.get(name)
        if value is None:
            if required:
                raise errors.missing_parameter(self._name(name))
            return None
        if type(value) is not kind:
            raise errors.invalid_type(self._name(name), ARTICLES[kind], kind_of(value))
        return value


def bounded(name: str, value: int, *, lowest: int, highest: int | None) -> int:
    if value < lowest:
        text = f"integer below minimum value. Expected a value >= {lowest}, but got {value} instead."
        raise errors.invalid_value(name, text, code="integer_below_min_value")
    if highest is not None and value > highest:
        text = f"integer above maximum value. Expected a value <= {highest}, but got {value} instead."
        raise errors.invalid_value(name, text, code="integer_above_max_value")
    return value
