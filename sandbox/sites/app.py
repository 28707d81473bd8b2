"""One web server per site, all in one process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.sites import drawing
from sandbox.sites.config import Kind, Site
from sandbox.sites.csp import policy_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_site(site: Site) -> web.Application:
    app = web.Application(middlewares=[_with_headers(site)])
    app.router.add_get("/livez", _text("ok", "text/plain"))
    if site.kind is Kind.STATIC:
        _add_static(app, site)
        return app
    app.router.add_get("/", _text(drawing.page_of(site), "text/html"))
    app.router.add_get("/site.css", _text(drawing.stylesheet_of(site), "text/css"))
    app.router.add_get("/pictures.svg", _text(drawing.pictures_of(site), "image/svg+xml"))
    app.router.add_get("/icon.svg", _text(drawing.icon_of(site), "image/svg+xml"))
    return app


async def start_sites(sites: Sequence[Site]) -> list[web.AppRunner]:
    """Listens for every site; raises OSError, with nothing left open, when one port is taken."""
    runners: list[web.AppRunner] = []
    try:
        for site in sites:
            runner = web.AppRunner(make_site(site), access_log=None, shutdown_timeout=1)
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, site.host, site.port).start()
    except OSError:
        await stop_sites(runners)
        raise
    return runners


async def stop_sites(runners: Sequence[web.AppRunner]) -> None:
    for runner in runners:
        await runner.cleanup()


def _with_headers(site: Site) -> Middleware:
    headers = {
        "Content-Security-Policy": policy_of(site),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }

    @web.middleware
    async def add(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(headers)
            raise
        response.headers.update(headers)
        return response

    return add


def _text(text: str, content_type: str) -> Handler:
    async def show(request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    return show


def _add_static(app: web.Application, site: Site) -> None:
    """The built app: its files as they are, its index page for every path that is no file."""
    root = (site.root or Path()).resolve()

    async def config(request: web.Request) -> web.Response:
        return web.json_response(dict(site.config))

    async def show(request: web.Request) -> web.StreamResponse:
        wanted = (root / request.match_info["path"]).resolve()
        if wanted.is_file() and wanted.is_relative_to(root):
            return web.FileResponse(wanted)
        if wanted.suffix:
            raise web.HTTPNotFound(text="no such file\n")
        return web.FileResponse(root / "index.html")

    app.router.add_get("/config.json", config)
    app.router.add_get("/{path:.*}", show)
