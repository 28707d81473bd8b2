"""The whole server: the API of OpenAI, the stand-in component, the control API and its page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from sandbox import control, conversation, openai_api
from sandbox.calls import WORLD, api_calls
from sandbox.responses import catalogue_api, endpoint
from sandbox.world import World

HERE = Path(__file__).parent
STATIC = HERE / "static"
COMPONENT = STATIC / "chatkit.js"
PAGE = HERE / "control_page"
SAVE_SECONDS = 1.0
# OpenAI's reply bodies are small; an upload through the stand-in is not.
LARGEST_BODY = 32 * 1024 * 1024
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
# The frame of the custom mode: any page may hold it, and it speaks to any chat server and to where uploads go.
FRAME_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; "
    "img-src * data: blob:; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1d4ed8"/>'
    '<path d="M8 22l8-12 8 12z" fill="#fff"/></svg>'
)


def make_app(world: World) -> web.Application:
    app = web.Application(middlewares=[control.loopback_only, api_calls], client_max_size=LARGEST_BODY)
    app[WORLD] = world
    openai_api.add_routes(app)
    catalogue_api.add_routes(app)
    endpoint.add_routes(app)
    app.router.add_post("/v1/chatkit/conversation", conversation.converse)
    control.add_routes(app)
    app.router.add_get("/chatkit.js", component)
    app.router.add_get("/{name:chatkit-frame\\.(?:html|css)}", frame)
    app.router.add_get("/livez", alive)
    app.router.add_get("/", control_page)
    app.router.add_get("/control/", control_page)
    app.router.add_get("/control/{name:page\\.(?:css|js)}", control_page)
    app.router.add_get("/control/icon.svg", icon)
    app.cleanup_ctx.append(_saving)
    return app


async def component(request: web.Request) -> web.StreamResponse:
    """The stand-in for OpenAI's `chatkit.js`, loadable from any page."""
    if not COMPONENT.exists():
        return web.Response(status=404, text="The stand-in component is not built: run `make frontend`.\n")
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-cache",
        "Content-Type": "text/javascript; charset=utf-8",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return web.FileResponse(COMPONENT, headers=headers)


async def frame(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / request.match_info["name"], headers=FRAME_HEADERS)


async def alive(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def control_page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE / request.match_info.get("name", "index.html"), headers=PAGE_HEADERS)


async def icon(request: web.Request) -> web.Response:
    return web.Response(text=ICON, content_type="image/svg+xml", headers=PAGE_HEADERS)


async def _saving(app: web.Application) -> AsyncIterator[None]:
    world = app[WORLD]

    async def save_now_and_then() -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            world.save()

    task = asyncio.create_task(save_now_and_then())
    yield
    task.cancel()
    world.save()
