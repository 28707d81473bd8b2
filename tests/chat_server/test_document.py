"""What docs/openapi-public.yaml says of chats is so: addresses, types of requests, and the codes of what is refused."""

from importlib import import_module
from typing import Any, get_args

import pytest
from chatkit.types import NonStreamingReq, StreamingReq

from dashboards.public_api.chat_endpoints import ADDRESSES, AT_ONCE, STREAMED
from dashboards.public_api.document import address_of, public_openapi
from tests.chat_server.chat_cast import Chat, Talker, create

NOWHERE = "thr_" + "0" * 32


def names(union: Any) -> set[str]:
    kinds = get_args(union)
    members = get_args(kinds[0]) or kinds
    return {member.model_fields["type"].default for member in members}


def test_the_addresses_are_those_of_the_chat_door() -> None:
    patterns = [pattern for name in ("config.chat_urls", "chat_server.serving.file_urls") for pattern in urls(name)]

    assert {pattern.name: address_of(pattern) for pattern in patterns} == ADDRESSES


def urls(name: str) -> list[Any]:
    return list(import_module(name).urlpatterns)


def test_the_types_of_requests_are_those_of_openais_package() -> None:
    assert (names(StreamingReq), names(NonStreamingReq)) == (set(STREAMED), set(AT_ONCE))


def told(operation: dict[str, Any], status: int) -> set[str]:
    content = operation["responses"][str(status)]["content"]["application/json"]
    return set(content["schema"]["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "GET"}, "method_not_allowed"),
        ({"headers": {"Content-Type": "text/plain"}}, "content_type_invalid"),
        ({"body": b"{"}, "body_invalid"),
        ({"body": b" " * 600_000}, "body_too_large"),
        ({"headers": {"Authorization": "Bearer ct1.x"}}, "token_invalid"),
        ({"headers": {"Origin": "https://elsewhere.example"}}, "origin_not_allowed"),
        ({"headers": {"Origin": "null"}}, "origin_null"),
        ({"body": b'{"type":"threads.get_by_id","params":{"thread_id":"%s"}}' % NOWHERE.encode()}, "not_found"),
        ({"body": b'{"type":"input.transcribe","params":{"audio_base64":"","mime_type":"audio/wav"}}'}, "body_invalid"),
        ({"path": f"attachments/atc_{'0' * 32}/", "method": "GET"}, "token_invalid"),
        ({"path": f"attachments/atc_{'0' * 32}/upload/", "method": "PUT"}, "token_invalid"),
        ({"path": f"attachments/atc_{'0' * 32}/upload/"}, "method_not_allowed"),
    ],
)
def test_refusals_are_those_that_the_document_names(
    chat: Chat, talker: Talker, change: dict[str, Any], code: str
) -> None:
    method = change.get("method", "POST")
    body = change.get("body", create().model_dump_json().encode()) if method != "GET" else None
    path = change.get("path", "")

    headers = {**talker.headers(), **change.get("headers", {})}
    answer = chat.platform.request(method, talker.path + path, body=body, headers=headers)

    assert answer.code == code
    address = ADDRESSES["chat"] + path.replace("atc_" + "0" * 32, "{attachment_id}")
    described = public_openapi()["paths"][address]
    operation = described.get(method.lower()) or next(described[name] for name in ("post", "put") if name in described)
    assert code in told(operation, answer.status)
    named = {name.lower() for name in operation["responses"][str(answer.status)]["headers"]}
    assert {"cache-control", "x-request-id"} <= named
