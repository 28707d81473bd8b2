"""The endpoints of chats that the platform serves itself; only processes with SERVE_CHAT=1 have them.

Their addresses stand here and not in the lean door's urlconf, since loading that of the chat door loads ChatKit's server. A test
(tests/chat_server/test_document.py) compares both, and what the running endpoints answer with what is said here.
"""

from typing import Any, Final

from dashboards.public_api.answers import LIMITED, SHARED, Answers, answer, json_content, refusals, too_slow
from gateway.errors import Code

Operation = dict[str, Any]

TAG: Final = "Chats"
ADDRESSES: Final = {
    "chat": "/api/v1/tenants/{public_id}/chatkit/",
    "chat-file": "/api/v1/tenants/{public_id}/chatkit/attachments/{attachment_id}/",
    "chat-file-upload": "/api/v1/tenants/{public_id}/chatkit/attachments/{attachment_id}/upload/",
}
# Answered as a stream of events; the others at once, as JSON.
STREAMED: Final = (
    "threads.create",
    "threads.add_user_message",
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.retry_after_item",
    "threads.custom_action",
)
AT_ONCE: Final = (
    *("threads.get_by_id", "threads.list", "threads.update", "threads.delete", "threads.sync_custom_action"),
    *("items.list", "items.feedback", "attachments.create", "attachments.delete", "input.transcribe"),
)
_TENANT: Final = (
    *(Code.HOST_INVALID, Code.HTTPS_REQUIRED, Code.INTERNAL_ERROR),
    *(Code.TENANT_UNKNOWN, Code.PLATFORM_UNAVAILABLE, Code.RATE_LIMITED),
    *(Code.ORIGIN_MISSING, Code.ORIGIN_NULL, Code.ORIGIN_MALFORMED, Code.ORIGIN_NOT_ALLOWED),
)
_CHAT: Final = (
    *_TENANT,
    *(Code.METHOD_NOT_ALLOWED, Code.CONTENT_TYPE_INVALID, Code.BODY_INVALID, Code.BODY_TOO_LARGE),
    *(Code.TOKEN_INVALID, Code.ASSISTANT_UNKNOWN, Code.INTEGRATION_OUTDATED, Code.NOT_FOUND),
    *(Code.TENANT_MISCONFIGURED, Code.QUOTA_EXCEEDED, Code.BUSY),
)
_FILE: Final = (*_TENANT, Code.METHOD_NOT_ALLOWED, Code.TOKEN_INVALID, Code.NOT_FOUND)
_UPLOAD: Final = (*_FILE, Code.BODY_INVALID, Code.BODY_TOO_LARGE, Code.CONTENT_TYPE_INVALID, Code.BUSY)

_DESCRIPTION: Final = """\
The body is a request of ChatKit's protocol, the answer what that protocol says: both are described by the types of OpenAI's
package `openai-chatkit` (`chatkit.types`: ChatKitReq, ThreadStreamEvent), which this endpoint reads and writes with.

`client_secret` of the session endpoint, from an answer whose backend is platform, is the bearer token. On `token_invalid` ask
for a new session once and repeat the call; on `integration_outdated` the assistant was switched: read the configuration again.
What belongs to somebody else is answered as what does not exist (`not_found`).

While an answer is on its way, another one in the same conversation is refused (`busy`). Leaving the stream stops the answer.
"""
_STREAM: Final = """\
Server-sent events, `data: {…}` each, of the type ThreadStreamEvent; a comment line `: ping` every 15 s where nothing else comes.
A failure after the first event is an event of the type error. Where the access was withdrawn it is the last one and forbids a
retry; where the assistant was switched, a client_effect `chatkit_platform.configuration_changed` comes before it."""


def chat_endpoints() -> dict[str, dict[str, Operation]]:
    """Operations by method, by the names of ADDRESSES."""
    return {
        "chat": {"post": _chat(), "options": _preflight("preflightChat", "the page's")},
        "chat-file": {"get": _preview(), "options": _preflight("preflightPreview", "the chat's frame's")},
        "chat-file-upload": {"put": _upload(), "options": _preflight("preflightUpload", "the chat's frame's")},
    }


def chat_schemas() -> dict[str, Any]:
    return {
        "ChatCall": {
            "type": "object",
            "required": ["type"],
            "description": "A request of ChatKit's protocol, at most 512 KiB. `params` are those of the type in chatkit.types.",
            "properties": {
                "type": {"type": "string", "enum": [*STREAMED, *AT_ONCE]},
                "params": {"type": "object"},
                "metadata": {"type": "object"},
            },
            "externalDocs": {"description": "openai-chatkit", "url": "https://github.com/openai/chatkit-python"},
        },
        "ChatAnswer": {"type": "object", "description": f"Of {', '.join(AT_ONCE)}, as the type in chatkit.types says."},
    }


def _chat() -> Operation:
    said = answer(
        _STREAM + f"\n\nAt once, as JSON, for {', '.join(f'`{name}`' for name in AT_ONCE)}.",
        content={"text/event-stream": {"schema": {"type": "string"}}, **json_content("ChatAnswer")},
        always=("Cache-Control", *SHARED),
    )
    return {
        "operationId": "chat",
        "tags": [TAG],
        "summary": "Speak ChatKit's protocol with an assistant that the platform serves",
        "description": _DESCRIPTION,
        "security": [{"chatToken": []}],
        "parameters": [_origin("The page's origin, the one that the token was granted to.")],
        "requestBody": {"required": True, "content": json_content("ChatCall")},
        "responses": {"200": said, **refusals(_CHAT, sometimes=(*SHARED, *LIMITED)), "408": too_slow()},
    }


def _upload() -> Operation:
    return {
        "operationId": "uploadFile",
        "tags": [TAG],
        "summary": "Send the bytes of a file that `attachments.create` has announced",
        "description": "The address is `upload_descriptor.url` of that answer. As many bytes, and of the type, as announced.",
        "parameters": [_link(), _origin("One of the tenant's websites, or ChatKit's own frame.")],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "200": answer("The file is there. Sending it again changes nothing.", always=("Cache-Control", *SHARED)),
            **refusals(_UPLOAD, sometimes=SHARED),
        },
    }


def _preview() -> Operation:
    return {
        "operationId": "previewFile",
        "tags": [TAG],
        "summary": "A picture that a visitor has sent",
        "description": "The address is `preview_url` of an attachment. Without an Origin, as an <img> asks, it is answered too.",
        "parameters": [_link(), _origin("One of the tenant's websites, or ChatKit's own frame.", required=False)],
        "responses": {
            "200": answer(
                "The picture, of the announced type.",
                content={"image/*": {"schema": {"type": "string", "format": "binary"}}},
                always=("Cache-Control",),
                sometimes=SHARED,
            ),
            **refusals(_FILE, sometimes=SHARED),
        },
    }


def _preflight(name: str, whose: str) -> Operation:
    methods = ("Allow", "Access-Control-Allow-Methods", "Access-Control-Max-Age")
    granted = answer("It may call.", always=(*SHARED, *methods), sometimes=("Access-Control-Allow-Headers",))
    refused: Answers = refusals(_TENANT, sometimes=SHARED)
    return {
        "operationId": name,
        "tags": [TAG],
        "summary": f"The browser's own question before {whose} call",
        "parameters": [_origin("Who is to call.")],
        "responses": {"204": granted, **refused},
    }


def _link() -> dict[str, Any]:
    return {
        "name": "link",
        "in": "query",
        "required": True,
        "description": "Signed for this file, this deed and this visitor; counts for ten minutes. A bearer credential.",
        "schema": {"type": "string"},
    }


def _origin(description: str, *, required: bool = True) -> dict[str, Any]:
    return {
        "name": "Origin",
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        "example": "https://shop.example",
    }
