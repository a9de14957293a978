"""The aiohttp application: its parts put together, its key, its errors, its headers.

What it answers is in the modules that have an `add_routes`; here is what holds for all of them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from inference_sdk import config
from inference_sdk.http.operations import metadata
from inference_sdk.local import inference_routes, registry_routes, streaming
from inference_sdk.local.admission import ADMISSION, MAX_QUEUE, Admission
from inference_sdk.local.faults import RequestFault
from inference_sdk.local.gate import Limits, Origins, gate_of
from inference_sdk.local.gate.doors import opens_again
from inference_sdk.local.gate.limits import Budget, current_budget
from inference_sdk.local.models import ModelStore
from inference_sdk.local.wire import (
    FETCHES_URLS,
    LIMITS,
    MODELS,
    READS_FILES,
    WORKERS,
    json_response,
    used_models,
)
from inference_sdk.local.workflows import routes as workflow_routes
from inference_sdk.local.workflows.settings import WorkflowSettings, WorkflowsGiven

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

__all__ = ["MODELS", "create_app"]

logger = logging.getLogger(__name__)


def create_app(
    *,
    models: ModelStore | None = None,
    api_key: str | None = None,
    workflows: WorkflowsGiven = None,
    max_queue: int = MAX_QUEUE,
    allow_url_input: bool = False,
    allow_file_input: str | os.PathLike[str] | None = None,
    origins: Origins | None = None,
    limits: Limits | None = None,
) -> web.Application:
    """The application, to be run by `LocalServer`, `serve` or any aiohttp runner.

    Args:
        models: what it answers with; by default the packaged models.
        api_key: when given, requests must carry it: in the body or the query as `api_key`, or as
            `Authorization: Bearer …`.
        workflows: a folder of JSON files, or `WorkflowSettings`; by default none is known by name.
        max_queue: requests under way or waiting; those beyond are answered with 503.
        allow_url_input: fetch images by URL, from the public internet only.
        allow_file_input: a folder, below which requests may name files.
        origins: pages in browsers that may ask; by default none but this server's own.
        limits: how much a request may take; see `Limits`.

    Returns:
        An aiohttp application that nobody runs yet.

    Raises:
        ValueError: the key is empty.
    """
    limits = limits or Limits()
    admission = Admission(max_queue)
    middlewares: list[Middleware] = [
        opens_again,
        _add_headers,
        _answer_faults,
        *gate_of(origins or Origins(), api_key, limits),
        admission.middleware(),
        _budget_of(limits),
    ]
    app = web.Application(middlewares=middlewares)
    app[LIMITS] = limits
    app[READS_FILES] = None if allow_file_input is None else Path(allow_file_input).resolve()
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


def _budget_of(limits: Limits) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        budget = Budget(limits, time.monotonic())
        current_budget.set(budget)
        try:
            return await handler(request)
        finally:
            budget.abandoned = True  # of work that goes on all the same, nobody hears

    return count


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
