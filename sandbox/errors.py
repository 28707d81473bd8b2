"""OpenAI's error table: every refusal the sandbox can give, with its status, body and headers.

The envelope is `{"error": {"message", "type", "param", "code"}}`, all four always present. Note three surprises that
were recorded from the real API: missing scopes is a 401 with code null, an unknown workflow is a 404 with code null,
and the text of a 401 repeats a masked form of the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INVALID_REQUEST = "invalid_request_error"
AUTHENTICATE = {"WWW-Authenticate": 'Bearer realm="OpenAI API"'}
BILLING_CODES = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
)
THROTTLE_CODES = ("rate_limit_exceeded", "slow_down")


@dataclass
class Refusal(Exception):
    """An answer other than 200, as OpenAI would give it."""

    status: int
    message: str
    type: str = INVALID_REQUEST
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def mask(key: str) -> str:
    """A key as OpenAI's 401 repeats it: the first eight and the last four characters."""
    if len(key) <= 12:
        return "*" * len(key)
    return f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"


# 401 and 403: who is asking.


def missing_bearer() -> Refusal:
    return Refusal(401, "Missing bearer or basic authentication in header", headers=AUTHENTICATE)


def invalid_key(key: str) -> Refusal:
    text = f"Incorrect API key provided: {mask(key)}. You can find your API key at https://platform.openai.com/account/api-keys."
    return Refusal(401, text, code="invalid_api_key", headers=AUTHENTICATE)


def missing_scopes(*scopes: str) -> Refusal:
    text = (
        f"You have insufficient permissions for this operation. Missing scopes: {', '.join(scopes)}. "
        "Check that you have the correct role in your organization (Reader, Writer, Owner) and project (Member, "
        "Owner), and if you're using a restricted API key, that it has the necessary scopes."
    )
    return Refusal(401, text, headers=AUTHENTICATE)


def ip_not_authorised() -> Refusal:
    text = "Your request IP does not match the configured IP allowlist for your project or organization."
    return Refusal(401, text, headers=AUTHENTICATE)


def not_a_member() -> Refusal:
    return Refusal(401, "You must be a member of an organization to use the API.", headers=AUTHENTICATE)


def unsupported_region() -> Refusal:
    text = "Country, region, or territory not supported"
    return Refusal(403, text, type="request_forbidden", code="unsupported_country_region_territory")


def permission_denied() -> Refusal:
    return Refusal(403, "You are not allowed to perform this operation.", type="permission_error")


def expired_client_secret() -> Refusal:
    """What a browser gets whose session has expired, was cancelled, or never existed."""
    return Refusal(401, "Invalid or expired client secret.", code="invalid_client_secret", headers=AUTHENTICATE)


# 400: what is asked.


def invalid_beta() -> Refusal:
    text = (
        "You must provide the 'OpenAI-Beta' header to access the Chatkit API. "
        "Please try again by setting the header 'OpenAI-Beta: chatkit_beta=v1'."
    )
    return Refusal(400, text, code="invalid_beta")


def unparsable_body() -> Refusal:
    text = (
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
        "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    )
    return Refusal(400, text)


def missing_parameter(name: str) -> Refusal:
    return Refusal(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def unknown_parameter(name: str) -> Refusal:
    return Refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def invalid_type(name: str, expected: str, got: str) -> Refusal:
    text = f"Invalid type for '{name}': expected {expected}, but got {got} instead."
    return Refusal(400, text, param=name, code="invalid_type")


def invalid_value(name: str, text: str, *, code: str = "invalid_value") -> Refusal:
    return Refusal(400, f"Invalid '{name}': {text}", param=name, code=code)


def bad_id(name: str, value: str, prefix: str) -> Refusal:
    return invalid_value(name, f"'{value[:64]}'. Expected an ID that begins with '{prefix}'.")


def uploads_disabled() -> Refusal:
    return Refusal(400, "File uploads are disabled for this session.", code="chatkit.file_upload_disabled")


def upload_type_rejected() -> Refusal:
    text = "Uploaded file type is not allowed for this session."
    return Refusal(400, text, code="chatkit.file_upload_type_rejected")


# 404 and 405.


def workflow_not_found(workflow_id: str) -> Refusal:
    return Refusal(404, f"Workflow with id '{workflow_id}' not found.")


def session_not_found(session_id: str) -> Refusal:
    return Refusal(404, f"Chatkit Session with id '{session_id}' not found.")


def thread_not_found(thread_id: str) -> Refusal:
    return Refusal(404, f"Thread with id '{thread_id}' not found.")


def model_not_found(model: str) -> Refusal:
    text = f"The model `{model[:80]}` does not exist or you do not have access to it."
    return Refusal(404, text, param="model", code="model_not_found")


def vector_store_not_found(store_id: str) -> Refusal:
    return Refusal(404, f"Vector store with id '{store_id[:80]}' not found.", param="tools")


def unknown_url(method: str, path: str) -> Refusal:
    return Refusal(404, f"Invalid URL ({method} {path})")


def wrong_method(method: str, path: str) -> Refusal:
    text = f"Not allowed to {method} on {path} (HINT: Perhaps you meant to use a different HTTP method?)"
    return Refusal(405, text, code="method_not_supported")


# 429 and 5xx: not now.


def throttled(retry_after: int | None, *, code: str = "rate_limit_exceeded") -> Refusal:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    text = "Rate limit reached for requests. Please slow down and try again later."
    return Refusal(429, text, type="requests", code=code, headers=headers)


def billing(code: str) -> Refusal:
    text = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
    )
    return Refusal(429, text, type="insufficient_quota", code=code)


def server_error(status: int = 500) -> Refusal:
    if status == 503:
        text = "That model is currently overloaded with other requests. Please try again later."
        return Refusal(503, text, type="server_error", code="server_is_overloaded")
    text = "The server had an error while processing your request. Sorry about that!"
    return Refusal(status, text, type="server_error")
