"""What the stock door answers when something broke: 503 while the database is away, 500 for a defect. Neither asks the database.

Django calls this for whatever any middleware or view raised, on the way in and on the way out, so it stands for all of them.
"""

import logging
import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from gateway.errors import Code, PublicError, error_response

logger = logging.getLogger(__name__)

FOR_MACHINES: Final = "/api/v1/ops/"


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an error, or for machines the platform's one error shape."""
    cause = _database_error(sys.exception())
    error = PublicError(Code.INTERNAL_ERROR if cause is None else Code.PLATFORM_UNAVAILABLE)
    # Absent where the request broke before it was given one.
    request_id: str = getattr(request, "request_id", "")
    if request.path.startswith(FOR_MACHINES):
        response = error_response(error, request_id=request_id)
    else:
        response = _page(request, error, request_id)
    if cause is not None:
        _log_one_line(request, cause)
        # Django would add a traceback of its pool and driver for every page that somebody asks for meanwhile.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _database_error(error: BaseException | None) -> BaseException | None:
    """The database's own error at the bottom of what was raised, if that is what it is.

    A pool that has no connection to give, a server that ended, a lock or a statement that took too long: all are
    OperationalError, and all are worth another try. What else a database says (ProgrammingError…) is a defect of ours.
    """
    while error is not None and not isinstance(error, OperationalError | InterfaceError):
        # An error page, a rollback or a template may have failed over the first error.
        error = error.__cause__ or error.__context__
    return error


def _page(request: HttpRequest, error: PublicError, request_id: str) -> HttpResponse:
    # Without the request: its context processors would ask who is logged in.
    context = {"request_id": request_id, "again": request.get_full_path() if request.method == "GET" else ""}
    page = render_to_string(f"{error.status}.html", context)
    response = HttpResponse(page, status=error.status, headers={"Cache-Control": "no-store"})
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _log_one_line(request: HttpRequest, cause: BaseException) -> None:
    logger.error(
        "The database does not answer: a page was refused",
        extra={"path": request.path, "error": type(cause).__name__, "said": str(cause).partition("\n")[0]},
    )
