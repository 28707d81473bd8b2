"""The ASGI application: two doors into Django, chosen by host and path.

    the preview's host      lean door, config.preview_urls: pages that load OpenAI's script, and nothing else
    a tenant's chat         lean door, config.chat_urls, where SERVE_CHAT=1: what the platform answers itself
    public paths            lean door, config.public_urls: sessions, widget, probes
    STATIC_URL              the console's static files
    everything else         Django's stock handler: the console and the operations API

Start it with `--lifespan on --no-proxy-headers --no-server-header --http config.http_protocol:BoundedHead`: the gateway alone
reads forwarding headers, and slow or endless heads are cut off.
"""

import os
from typing import Final, cast
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
django.setup()

from django.conf import settings  # noqa: E402 everything below needs the settings
from django.core.handlers.asgi import ASGIHandler  # noqa: E402

from config.body_limit import BodyLimit  # noqa: E402
from config.chat_door import ChatDoor  # noqa: E402
from config.lifespan import run_lifespan  # noqa: E402
from config.static import StaticMount  # noqa: E402
from encryption.checks import require_fit_keys  # noqa: E402
from gateway.asgi_types import App, Receive, Scope, Send  # noqa: E402
from gateway.lean import LeanHandler  # noqa: E402
from gateway.lean_middleware import lean_middleware  # noqa: E402

require_fit_keys()

PUBLIC_PATHS: Final = ("/api/v1/tenants/", "/widget/", "/livez", "/readyz", "/metrics")
_preview_host = urlsplit(settings.PREVIEW_ORIGIN).netloc
_PREVIEW_HOST: Final = _preview_host.encode()

public_door = LeanHandler("config.public_urls", lean_middleware(*settings.ALLOWED_HOSTS))
preview_door = LeanHandler("config.preview_urls", lean_middleware(_preview_host.rpartition(":")[0] or _preview_host))
chat_door = ChatDoor(*settings.ALLOWED_HOSTS) if settings.SERVE_CHAT else None
# Forms are checked against DATA_UPLOAD_MAX_MEMORY_SIZE later; what stands around their values takes some more.
stock_door = BodyLimit(ASGIHandler(), most=2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
static = StaticMount()
_STATIC_PATH: Final = static.prefix + "/"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _door_for(scope)(scope, receive, send)
    elif scope["type"] == "lifespan":
        await run_lifespan(scope, receive, send, (public_door, preview_door), chat_door)
    else:
        # A WebSocket, from a stranger: nothing here speaks it.
        await send({"type": "websocket.close", "code": 1000})


def _door_for(scope: Scope) -> App:
    if _host_of(scope) == _PREVIEW_HOST:
        return preview_door
    path: str = scope["path"]
    if path.startswith(PUBLIC_PATHS):
        if chat_door is not None and (handler := chat_door.handler_of(path)) is not None:
            return handler
        return public_door
    if path.startswith(_STATIC_PATH):
        return cast(App, static)
    return stock_door


def _host_of(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            return bytes(value).lower()
    return b""
