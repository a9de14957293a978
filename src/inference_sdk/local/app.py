"""The aiohttp application: its parts put together, its key, its errors, its headers.

What it answers is in the modules that have an `add_routes`; here is what holds for all of them.
"""

from __future__ import annotations

import hmac
import logging
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from inference_sdk import config
from inference_sdk.http.operations import metadata
from inference_sdk.local import inference_routes, registry_routes, streaming
from inference_sdk.local.admission import ADMISSION, MAX_QUEUE, Admission
from inference_sdk.local.faults import RequestFault, UnauthorizedError
from inference_sdk.local.models import ModelStore
from inference_sdk.local.wire import (
    FETCHES_URLS,
    MODELS,
    WORKERS,
    json_response,
    read_json_object,
    used_models,
)
from inference_sdk.local.workflows import routes as workflow_routes
from inference_sdk.local.workflows.settings import WorkflowSettings, WorkflowsGiven

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

__all__ = ["MODELS", "create_app"]

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024 * 1024
"""A batch of 200 large photographs; more is a mistake."""

OPEN_PATHS = frozenset({"/", "/info", "/healthz", "/readiness"})
"""Answered without a key."""


def create_app(
    *,
    models: ModelStore | None = None,
    api_key: str | None = None,
    workflows: WorkflowsGiven = None,
    max_queue: int = MAX_QUEUE,
    allow_url_input: bool = False,
) -> web.Application:
    """The application, to be run by `LocalServer`, `serve` or any aiohttp runner.

    Args:
        models: what it answers with; by default the packaged models.
        api_key: when given, requests must carry it: in the body or the query as `api_key`, or as
            `Authorization: Bearer …`.
        workflows: a folder of JSON files, or `WorkflowSettings`; by default none is known by name.
        max_queue: requests under way or waiting; those beyond are answered with 503.
        allow_url_input: fetch images by URL, from the public internet only.
    """
    admission = Admission(max_queue)
    middlewares: list[Middleware] = [_add_headers, _answer_faults]
    if api_key is not None:
        middlewares.append(_key_check(api_key))
    middlewares.append(admission.middleware())
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
    app[MODELS] = ModelStore() if models is None else models
    app[ADMISSION] = admission
    app[FETCHES_URLS] = allow_url_input
    app.cleanup_ctx.append(_workers)
    registry_routes.add_routes(app)
    workflow_routes.add_routes(app, WorkflowSettings.of(workflows))
    streaming.add_routes(app)
    inference_routes.add_routes(app)
    # Last, for it takes any path of two parts.
    inference_routes.add_v0_route(app)
    return app


async def _workers(app: web.Application) -> AsyncIterator[None]:
    # One more than cores: while some infer, which fills the cores, another decodes.
    threads = (os.cpu_count() or 1) + 1
    with ThreadPoolExecutor(threads, thread_name_prefix="inference-sdk-server") as executor:
        app[WORKERS] = executor
        yield


@web.middleware
async def _answer_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes the JSON that a Roboflow server would answer with."""
    try:
        return await handler(request)
    except RequestFault as fault:
        return json_response(fault.body, fault.status, fault.headers)
    except web.HTTPException as error:
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return json_response({"detail": error.reason}, error.status, allowed)
    except Exception:  # whatever it is, the client learns that it failed, and nothing of how
        logger.exception("Fault while serving %s %s", request.method, request.path)
        return json_response({"message": "Internal error."}, 500)


@web.middleware
async def _add_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say how long it took, with which models, and which of them had to be loaded first."""
    started = time.perf_counter()
    used: dict[str, float | None] = {}
    used_models.set(used)
    response = await handler(request)
    response.headers[config.PROCESSING_TIME_HEADER] = f"{time.perf_counter() - started:.6f}"
    if used:
        response.headers[metadata.MODEL_ID_HEADER] = ",".join(used)
    loads = {model_id: seconds for model_id, seconds in used.items() if seconds is not None}
    if loads:
        details = [{"m": model_id, "t": seconds} for model_id, seconds in loads.items()]
        response.headers[metadata.MODEL_COLD_START_HEADER] = "true"
        response.headers[metadata.MODEL_COLD_START_COUNT_HEADER] = str(len(loads))
        response.headers[metadata.MODEL_LOAD_TIME_HEADER] = f"{sum(loads.values()):.6f}"
        response.headers[metadata.MODEL_LOAD_DETAILS_HEADER] = orjson.dumps(details).decode()
    return response


def _key_check(api_key: str) -> Middleware:
    expected = api_key.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS:
            sent = await _sent_key(request)
            if not hmac.compare_digest(sent.encode(errors="replace"), expected):
                raise UnauthorizedError(
                    "The API key is wrong or missing. Send the key this server was started with."
                )
        return await handler(request)

    return check


async def _sent_key(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if "api_key" in request.query:
        return request.query["api_key"]
    try:
        return str((await read_json_object(request)).get("api_key") or "")
    except RequestFault:
        return ""
