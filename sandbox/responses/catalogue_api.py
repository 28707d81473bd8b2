"""`/v1/models` and `/v1/vector_stores`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox import errors
from sandbox.calls import WORLD, answer, authenticate, read_json
from sandbox.responses.catalogue import CREATED, store_resource


def add_routes(app: web.Application) -> None:
    app.router.add_get("/v1/models", list_models, allow_head=False)
    app.router.add_get("/v1/models/{id}", show_model, allow_head=False)
    app.router.add_post("/v1/vector_stores", create_store)
    app.router.add_get("/v1/vector_stores", list_stores, allow_head=False)
    app.router.add_get("/v1/vector_stores/{id}", show_store, allow_head=False)


async def list_models(request: web.Request) -> web.Response:
    authenticate(request, beta=False)
    rows = [_model(name) for name in request.app[WORLD].catalogue.models()]
    return answer({"object": "list", "data": rows})


async def show_model(request: web.Request) -> web.Response:
    authenticate(request, beta=False)
    name = request.match_info["id"]
    if not request.app[WORLD].catalogue.has_model(name):
        raise errors.model_not_found(name)
    return answer(_model(name))


async def create_store(request: web.Request) -> web.Response:
    key = authenticate(request, beta=False)
    body = await read_json(request)
    name = body.get("name") if isinstance(body, dict) else None
    return answer(request.app[WORLD].catalogue.create_store(name, project=key.project))


async def list_stores(request: web.Request) -> web.Response:
    key = authenticate(request, beta=False)
    rows = [store for project, store in request.app[WORLD].catalogue.stores.values() if project == key.project]
    ends = {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
    return answer({"object": "list", "data": rows, **ends, "has_more": False})


async def show_store(request: web.Request) -> web.Response:
    key = authenticate(request, beta=False)
    store_id, catalogue = request.match_info["id"], request.app[WORLD].catalogue
    if not catalogue.has_store(store_id, project=key.project):
        raise errors.vector_store_not_found(store_id)
    known = catalogue.stores.get(store_id)
    return answer(known[1] if known else store_resource(store_id, None))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
