"""The OpenAPI document of the public endpoints, built from what the code itself goes by.

    addresses      the lean door's urlconf
    codes          gateway.errors: status, sentence, whether waiting helps
    request        sessions_api.reading
    who says what  dashboards.public_api.endpoints, and chat_endpoints for chats that the platform serves

docs/openapi-public.yaml is this document, for whoever has no server at hand; `make check` compares the two.
"""

import re
from typing import Any, Final

import yaml
from django.urls import URLPattern, get_resolver

from dashboards.public_api.answers import headers
from dashboards.public_api.chat_endpoints import ADDRESSES, TAG, chat_endpoints, chat_schemas
from dashboards.public_api.endpoints import endpoints
from dashboards.public_api.schemas import schemas
from gateway.lean_middleware import DEFAULT_HEADERS
from tenants.public_ids import BODY_LENGTH, PREFIX, TAIL_LENGTH

URLCONF: Final = "config.public_urls"
_PARAMETERS: Final = {
    "public_id": {
        "description": "The tenant's public ID, as its snippet names it.",
        "schema": {"type": "string", "pattern": f"^{PREFIX}[0-9A-Za-z]{{{BODY_LENGTH + TAIL_LENGTH}}}$"},
        "example": "tn_" + "0" * 28,
    },
    "attachment_id": {
        "description": "The file's id, as the chat endpoint gave it.",
        "schema": {"type": "string", "pattern": "^atc_[0-9a-f]{32}$"},
        "example": "atc_" + "0" * 32,
    },
    "version": {
        "description": "A release, such as 1.0.0.",
        "schema": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "example": "1.0.0",
    },
}
_DESCRIPTION: Final = """\
What the web pages of tenants, load balancers and Prometheus ask. No cookies, anywhere.

Whatever is refused or fails has one shape (`Error`); its codes are listed with every answer that can carry them, and
docs/refusals.md says who reads what of each. Any other method than those described is answered with 405. Fields may be added to
answers: ignore those that you don't know.

The Origin header decides. It stops other websites, not scripts: limits and signed visitors do the rest. What a browser may read
of an answer, CORS headers say; `Vary: Origin` is on every answer of JSON. Calls from the console's own pages are refused, since
the console is on nobody's list.

Every answer also has {headers};
over https, where the operator has asked for it, Strict-Transport-Security too. A request line that is no valid text is answered
with 400 and nothing else."""


def public_openapi(*, server: str = "/") -> dict[str, Any]:
    """The whole document; `server` is the platform's public address."""
    described = {**endpoints(), **chat_endpoints()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ChatKit platform: public endpoints",
            "version": "1",
            "description": _DESCRIPTION.format(headers=", ".join(name for name in DEFAULT_HEADERS if name != "Vary")),
        },
        "servers": [{"url": server}],
        "tags": [{"name": name} for name in ("Sessions", TAG, "Preflights", "Widget", "Probes")],
        "paths": {
            path: {**_parameters(path), **described[name]} for name, path in {**addresses(), **ADDRESSES}.items()
        },
        "components": {
            "schemas": {**schemas(), **chat_schemas()},
            "headers": headers(),
            "securitySchemes": {
                "operationsToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An operations token with the scope metrics:read, made in the admin.",
                },
                "chatToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "client_secret of the session endpoint, where the backend is platform. At most 600 s.",
                },
            },
        },
    }


def addresses() -> dict[str, str]:
    """The lean door's addresses by name, in OpenAPI's form: `/api/v1/tenants/{public_id}/widget/`."""
    return {
        pattern.name: address_of(pattern)
        for pattern in get_resolver(URLCONF).url_patterns
        if isinstance(pattern, URLPattern) and pattern.name
    }


def address_of(pattern: URLPattern) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))


def as_yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes out what occurs twice, and keeps long texts readable."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def _parameters(path: str) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    parameters = [{"name": name, "in": "path", "required": True, **_PARAMETERS[name]} for name in names]
    return {"parameters": parameters} if parameters else {}
