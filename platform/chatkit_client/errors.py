"""What can go wrong with a call to OpenAI, as one tree.

    ChatKitError
    ├── KeyRejected          invalid_key · missing_scope · key_unauthorised
    ├── WorkflowMissing      workflow_missing
    ├── ModelMissing         model_missing
    ├── BillingBlocked       billing
    ├── RegionBlocked        region_blocked
    ├── RequestRefused       request_refused (a defect of ours, not of the tenant)
    ├── Throttled            throttled
    ├── UpstreamUnavailable  connect_failed · tls_failed · deadline · reset · server_error
    └── UpstreamInvalid      redirected · unexpected_status · unreadable · head_too_large · oversized · truncated ·
                             content_type · content_encoding · body_invalid · answer_mismatch

Callers catch broadly (`ChatKitError`) or narrowly. An error carries facts, never foreign text: OpenAI's 401 message
holds a masked key, aiohttp's exceptions hold the Authorization header, so neither is kept, not even as `__context__`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Why a call failed; the closed vocabulary that is logged, counted and shown to the operator."""

    INVALID_KEY = "invalid_key"
    MISSING_SCOPE = "missing_scope"
    KEY_UNAUTHORISED = "key_unauthorised"
    WORKFLOW_MISSING = "workflow_missing"
    MODEL_MISSING = "model_missing"
    BILLING = "billing"
    REGION_BLOCKED = "region_blocked"
    REQUEST_REFUSED = "request_refused"
    THROTTLED = "throttled"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    DEADLINE = "deadline"
    RESET = "reset"
    SERVER_ERROR = "server_error"
    REDIRECTED = "redirected"
    UNEXPECTED_STATUS = "unexpected_status"
    UNREADABLE = "unreadable"
    HEAD_TOO_LARGE = "head_too_large"
    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    CONTENT_TYPE = "content_type"
    CONTENT_ENCODING = "content_encoding"
    BODY_INVALID = "body_invalid"
    ANSWER_MISMATCH = "answer_mismatch"

    @property
    def sentence(self) -> str:
        """What it means, then what to do about it."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.INVALID_KEY: "OpenAI does not know this API key. Make a new key at OpenAI and store it for the tenant.",
    Reason.MISSING_SCOPE: "The API key lacks a permission. Give it access to ChatKit at OpenAI, or use an open key.",
    Reason.KEY_UNAUTHORISED: "OpenAI refuses this API key here. Check the project's IP allowlist and organization.",
    Reason.WORKFLOW_MISSING: "OpenAI finds no such workflow. Use a workflow ID and a key of the same project.",
    Reason.MODEL_MISSING: "OpenAI has no such model for this key, or has retired it. Choose another for the assistant.",
    Reason.BILLING: "The OpenAI account has no budget left. Raise its limit or add credit at OpenAI.",
    Reason.REGION_BLOCKED: "OpenAI does not serve this server's region. Send its calls from a supported country.",
    Reason.REQUEST_REFUSED: "OpenAI calls the request malformed: a defect of the platform. Report the request id.",
    Reason.THROTTLED: "OpenAI limits this account's rate. Wait as told, or raise the limit at OpenAI.",
    Reason.CONNECT_FAILED: "No connection to OpenAI. Check DNS, the firewall and OpenAI's status page.",
    Reason.TLS_FAILED: "OpenAI's certificate is not trusted. Check the clock, the CA file and any TLS proxy.",
    Reason.DEADLINE: "OpenAI did not answer in time. Nothing to do but wait; see OpenAI's status page.",
    Reason.RESET: "The connection to OpenAI broke off. Nothing to do but wait; see OpenAI's status page.",
    Reason.SERVER_ERROR: "OpenAI has an error of its own. Nothing to do but wait; see OpenAI's status page.",
    Reason.REDIRECTED: "The API address redirects, which is never followed. Correct OPENAI_BASE_URLS.",
    Reason.UNEXPECTED_STATUS: "The API address answers with a status that OpenAI never sends. Check OPENAI_BASE_URLS.",
    Reason.UNREADABLE: "The API address does not speak proper HTTP/1.1. Check OPENAI_BASE_URLS.",
    Reason.HEAD_TOO_LARGE: "The answer's headers are too large. Check OPENAI_BASE_URLS and any proxy in between.",
    Reason.OVERSIZED: "The answer's body is too large. Check OPENAI_BASE_URLS and any proxy in between.",
    Reason.TRUNCATED: "The answer ends before its announced length. Check any proxy in between.",
    Reason.CONTENT_TYPE: "The answer is not JSON. Check OPENAI_BASE_URLS and any proxy in between.",
    Reason.CONTENT_ENCODING: "The answer is compressed though that was not allowed. Check any proxy in between.",
    Reason.BODY_INVALID: "The answer is not what OpenAI documents. Check OPENAI_BASE_URLS; else report the request id.",
    Reason.ANSWER_MISMATCH: "The answer belongs to another request and was dropped. Check any proxy in between.",
}


class ChatKitError(Exception):
    """A call to OpenAI failed; holds facts only: `latency_ms` in milliseconds, `retry_after` in seconds (1 to 300).

    `fault` is the class name of the foreign exception, for the log. `permanent` says that the same call will fail again
    until somebody changes the key, the workflow, the account or our code.
    """

    permanent: ClassVar[bool] = False

    def __init__(
        self,
        reason: Reason,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: int | None = None,
        latency_ms: int | None = None,
        fault: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.latency_ms = latency_ms
        self.fault = fault

    def __str__(self) -> str:
        named = {"status": self.status, "code": self.code, "request": self.request_id, "fault": self.fault}
        facts = [self.reason.value, *(f"{name} {value}" for name, value in named.items() if value is not None)]
        return f"{self.reason.sentence} ({', '.join(facts)})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class KeyRejected(ChatKitError):
    permanent = True


class WorkflowMissing(ChatKitError):
    permanent = True


class ModelMissing(ChatKitError):
    permanent = True


class BillingBlocked(ChatKitError):
    permanent = True


class RegionBlocked(ChatKitError):
    permanent = True


class RequestRefused(ChatKitError):
    permanent = True


class Throttled(ChatKitError):
    pass


class UpstreamUnavailable(ChatKitError):
    pass


class UpstreamInvalid(ChatKitError):
    pass
