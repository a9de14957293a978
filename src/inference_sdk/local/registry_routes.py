"""Who this server is, whether it is well, and which models it has loaded."""

from __future__ import annotations

import uuid

from aiohttp import web

from inference_sdk.http import endpoints
from inference_sdk.local.wire import (
    MODELS,
    json_response,
    read_json_object,
    read_text,
    run_blocking,
    use_model,
)
from inference_sdk.version import __version__

SERVER_ID = web.AppKey("server_id", str)
NAME = "inference_sdk embedded server"


def add_routes(app: web.Application) -> None:
    app[SERVER_ID] = str(uuid.uuid4())
    app.add_routes(
        [
            web.get("/", _info),
            web.get(endpoints.INFO, _info),
            web.get("/healthz", _health),
            web.get("/readiness", _readiness),
            web.get(endpoints.MODEL_REGISTRY, _registry),
            web.post(endpoints.MODEL_ADD, _add),
            web.post(endpoints.MODEL_REMOVE, _remove),
            web.post(endpoints.MODEL_CLEAR, _clear),
        ]
    )


async def _info(request: web.Request) -> web.Response:
    return json_response({"name": NAME, "version": __version__, "uuid": request.app[SERVER_ID]})


async def _health(_: web.Request) -> web.Response:
    return json_response({"status": "healthy"})


async def _readiness(_: web.Request) -> web.Response:
    return json_response({"status": "ready"})


async def _registry(request: web.Request) -> web.Response:
    models = request.app[MODELS]
    return json_response({"models": models.registered(), "stand_ins": models.stand_ins()})


async def _add(request: web.Request) -> web.Response:
    await use_model(request, read_text(await read_json_object(request), "model_id"))
    return await _registry(request)


async def _remove(request: web.Request) -> web.Response:
    model_id = read_text(await read_json_object(request), "model_id")
    await run_blocking(request, request.app[MODELS].remove, model_id)
    return await _registry(request)


async def _clear(request: web.Request) -> web.Response:
    await run_blocking(request, request.app[MODELS].clear)
    return await _registry(request)
