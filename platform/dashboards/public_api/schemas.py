"""JSON schemas of what the public endpoints take and give; the request's fields come from the code that reads them."""

import dataclasses
from typing import Any, Final, get_type_hints

from gateway.errors import Code
from sessions_api.reading import DEFAULT_BACKENDS, EndCall, SessionCall
from tenants.models.assistant import Backend

Schema = dict[str, Any]

_JSON_TYPES: Final[dict[Any, Schema]] = {
    str | None: {"type": ["string", "null"]},
    bool: {"type": ["boolean", "null"]},
    tuple[str, ...]: {"type": ["array", "null"], "items": {"type": "string"}},
}
# One sentence for each field of a session request: a field without one stops the build of the document.
_SESSION_CALL: Final = {
    "assistant": "The assistant's slug. Absent: the tenant's default one.",
    "visitor_token": "From an earlier answer. A bad or foreign one means a new visitor, never an error.",
    "identity_token": "The JWT that the tenant's own server signs for a signed-in visitor. It wins over visitor_token.",
    "refresh": "True where a running chat renews its session. Counted, nothing else.",
    "backends": f"What the caller can open. Absent: {list(DEFAULT_BACKENDS)}.",
}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _whole(description: str, **more: Any) -> Schema:
    return {"type": "integer", "description": description, **more}


def _object(properties: dict[str, Schema], description: str, *, sometimes: dict[str, Schema] | None = None) -> Schema:
    """An answer's object: each of its fields is always there, but for those that are there `sometimes`."""
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **(sometimes or {})},
    }


def _fields(call: type, sentences: dict[str, str]) -> dict[str, Schema]:
    hints = get_type_hints(call)
    return {
        field.name: {**_JSON_TYPES[hints[field.name]], "description": sentences[field.name]}
        for field in dataclasses.fields(call)
    }


def schemas() -> dict[str, Schema]:
    """`components.schemas`."""
    backend = {"type": "string", "enum": [backend.value for backend in Backend]}
    return {
        "Error": _object(
            {
                "error": _object(
                    {
                        "code": _text("What was refused, or failed.", enum=[code.value for code in Code]),
                        "message": _text("The cure, for the developer who reads the browser's console."),
                        "request_id": _text("The X-Request-ID header again: the operator finds the request by it."),
                        "retry_after": {
                            "type": ["integer", "null"],
                            "minimum": 1,
                            "description": "The Retry-After header again: seconds after which waiting alone may help.",
                        },
                    },
                    "The same four fields, whatever the code.",
                    sometimes={
                        "words": _text(
                            "What the visitor reads in place of the script's words: the tenant's own, at a limit of a chat "
                            "that the platform serves (`rate_limited`, `quota_exceeded`)."
                        )
                    },
                )
            },
            "The one shape of every refusal and failure.",
        ),
        "SessionCall": {
            "type": "object",
            "description": "All fields are optional, null counts as absent, unknown fields are ignored.",
            "properties": _fields(SessionCall, _SESSION_CALL),
            "examples": [{}, {"assistant": "help", "visitor_token": "vt1.…", "backends": [*DEFAULT_BACKENDS]}],
        },
        "Session": _object(
            {
                "client_secret": _text(
                    "A bearer credential: never store or log it. For the backend hosted_workflow it is for ChatKit's "
                    "getClientSecret; for platform (it begins with ct1.) send it to the chat endpoint as Authorization: Bearer."
                ),
                "expires_at": _whole("Epoch seconds."),
                "expires_in": _whole("Seconds from now: needs no clock of the page's.", minimum=0),
                "backend": {**backend, "description": "Who serves the chat that the secret opens."},
                "visitor_token": {
                    "type": ["string", "null"],
                    "description": "Send it with the next request: it keeps the visitor's chats. A bearer credential.",
                },
            },
            "A new session. Every request makes one: a secret can't be prolonged.",
        ),
        "SessionEnd": {
            "type": "object",
            "required": ["visitor_token"],
            "description": "The visitor who signs out, named by the token of the last session.",
            "properties": _fields(EndCall, {"visitor_token": "From an answer of the session endpoint."}),
        },
        "Configuration": _configuration(backend),
        "Readiness": _object(
            {
                "ready": {"type": "boolean"},
                "database": _text("“up”, or for how long it has been silent."),
                "limits": _text("Where limits are counted now."),
                "spool": _text("Whether rows wait in a file for the database."),
            },
            "Which part is away. Only the database makes a process unready: by a long silence, or when its rows find no place.",
        ),
    }


def _configuration(backend: Schema) -> Schema:
    prompt = _object({"label": _text("The button's text."), "prompt": _text("What it sends.")}, "A suggested question.")
    appearance = _object(
        {
            "greeting": _text(""),
            "prompts": {"type": "array", "items": prompt},
            "placeholder": _text("Of the field that the visitor writes into."),
            "color_scheme": _text("auto, light or dark."),
            "accent": _text("#rrggbb, or empty."),
            "launcher_side": _text("left or right."),
            "launcher_label": _text("Empty: the launcher is a symbol alone."),
        },
        "How the chat looks.",
    )
    attachments = _object(
        {
            "enabled": {"type": "boolean"},
            "max_files": _whole(""),
            "max_size_mb": _whole(""),
            "accept": {
                "type": "object",
                "description": "Types of files, each with the ends of its names; empty where OpenAI decides.",
                "patternProperties": {"^[a-z]+/[a-z]+$": {"type": "array", "items": {"type": "string"}}},
            },
        },
        "Uploads in the chat.",
    )
    fallback = _object(
        {"text": _text(""), "url": _text("https:, mailto: or tel:, or empty.")}, "Shown where there is no chat."
    )
    chat = _object(
        {"url": _text("The chat endpoint."), "domain_key": _text("Of this website on OpenAI's list, or local-dev.")},
        "Where the platform itself answers; null for a hosted assistant.",
    )
    return _object(
        {
            "tenant": _text("The public ID."),
            "assistant": _text("The slug of the assistant that was chosen."),
            "name": _text("The assistant's name."),
            "backend": backend,
            "chat": {"oneOf": [chat, {"type": "null"}]},
            "client_tools": {"type": "array", "items": {"type": "string"}, "description": "Names of the page's tools."},
            "chatkit_js": _text("The address of ChatKit's script."),
            "appearance": appearance,
            "history": {"type": "boolean", "description": "Whether the visitor sees earlier chats."},
            "attachments": attachments,
            "limit_text": _text("What a visitor reads at a limit; empty: the fallback's text."),
            "fallback": fallback,
            "embed_version": _text("The current release of the embed script."),
        },
        "What the embed script draws the chat from.",
    )
