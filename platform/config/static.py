"""Static files of the console, served by the ASGI application itself; a proxy may take this over."""

import re
from os import PathLike, stat_result
from typing import Final

from django.conf import settings
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

# As ManifestStaticFilesStorage names files: twelve hex digits of the content before the ending.
_HASHED = re.compile(r"\.[0-9a-f]{12}\.[A-Za-z0-9]+\Z")
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_EACH_TIME: Final = "no-cache"


class _Files(StaticFiles):
    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = FOR_EVER if _HASHED.search(str(full_path)) else ASK_EACH_TIME
        return response


class StaticMount:
    """Everything under STATIC_URL, from STATIC_ROOT; no CORS, since only the console uses these files."""

    def __init__(self) -> None:
        self.prefix = settings.STATIC_URL.rstrip("/")
        self._files = _Files(directory=settings.STATIC_ROOT, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = {**scope, "root_path": scope.get("root_path", "") + self.prefix}
        try:
            response = await self._files.get_response(self._files.get_path(below), below)
        except HTTPException as error:
            response = PlainTextResponse(error.detail, status_code=error.status_code)
        response.headers["X-Content-Type-Options"] = "nosniff"
        await response(below, receive, send)
