"""The operations API answers errors in the platform's one shape."""

from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle(exception: Exception, context: dict[str, Any]) -> Response | None:
    """`{"error": {"code", "message", "request_id", "retry_after"}}`; None lets Django answer what is no API error."""
    response = exception_handler(exception, context)
    if response is None:
        return None
    request = context.get("request")
    response.data = {
        "error": {
            "code": _code(exception),
            "message": _message(exception),
            "request_id": getattr(getattr(request, "_request", None), "request_id", ""),
            "retry_after": None,
        }
    }
    return response


def _code(exception: Exception) -> str:
    if isinstance(exception, ValidationError):
        return "query_invalid"
    return str(exception.default_code) if isinstance(exception, APIException) else "not_found"


def _message(exception: Exception) -> str:
    if isinstance(exception, ValidationError) and isinstance(exception.detail, dict):
        return " ".join(f"{field}: {' '.join(map(str, errors))}" for field, errors in exception.detail.items())
    if isinstance(exception, APIException):
        return str(exception.detail)
    return "There is no such thing."
