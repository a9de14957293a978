"""The door of workflows: run, validate, describe; by specification or by name.

Takes the request apart, loads pictures, runs the workflow on a worker thread, and writes what came
out. Knows nothing of steps. The engine is loaded when it is first asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

from aiohttp import web

from inference_sdk.http import endpoints
from inference_sdk.local.faults import InvalidRequestError, RequestFault, TooLargeError
from inference_sdk.local.gate.limits import current_budget, require_images
from inference_sdk.local.wire import (
    LIMITS,
    MODELS,
    in_order,
    json_response,
    load_image,
    read_json_object,
    run_blocking,
    use_model,
)
from inference_sdk.local.workflows.library import WORKFLOWS, NamedWorkflows
from inference_sdk.local.workflows.settings import WorkflowSettings

if TYPE_CHECKING:
    from inference_sdk.local.workflows.engine import StepObserver, Workflow


Description = Callable[["Workflow"], dict[str, Any]]
SETTINGS = web.AppKey("workflow_settings", WorkflowSettings)


class WorkflowsNotInstalledError(RequestFault):
    """The packages that workflows need are not there."""

    status = 501


def add_routes(app: web.Application, settings: WorkflowSettings) -> None:
    """Add the endpoints of workflows; `app` must have `MODELS`."""
    app[SETTINGS] = settings
    app[WORKFLOWS] = NamedWorkflows(settings.folder)
    for path in (endpoints.WORKFLOW_SPECIFICATION, endpoints.LEGACY_WORKFLOW_SPECIFICATION):
        app.router.add_post(path, _run_specification)
    for path in (endpoints.WORKFLOW_BY_ID, endpoints.LEGACY_WORKFLOW_BY_ID):
        app.router.add_post(path, _run_named)
    app.router.add_post("/workflows/validate", _validate)
    app.router.add_get("/workflows/execution_engine/versions", _versions)
    app.router.add_route("*", "/workflows/blocks/describe", _describe_blocks)
    app.router.add_post("/workflows/blocks/dynamic_outputs", _dynamic_outputs)
    app.router.add_get("/workflows/definition/schema", _schema)
    for what, describe in _DESCRIPTIONS.items():
        app.router.add_post(f"/workflows/{what}", partial(_describe_given, describe))
        by_name = f"{endpoints.WORKFLOW_BY_ID}/{what}"
        app.router.add_post(by_name, partial(_describe_named, describe))
    if settings.blocks:
        _load_blocks(settings.blocks)


def compiled(specification: Any) -> Workflow:
    """A specification, compiled.

    Raises:
        WorkflowError: it is wrong.
        WorkflowsNotInstalledError: says what to install.
    """
    with _installed():
        from inference_sdk.local.workflows.engine import Workflow
    return Workflow.of(specification)


@contextlib.contextmanager
def _installed() -> Iterator[None]:
    """Says what to install where an import fails."""
    try:
        yield
    except ImportError as error:
        raise WorkflowsNotInstalledError(
            f"Workflows need the package '{error.name}': pip install 'inference-sdk[workflows]'."
        ) from error


def _load_blocks(paths: Sequence[str]) -> None:
    """Blocks of one's own: read when the server starts, so that their mistakes show then."""
    with _installed():
        from inference_sdk.local.workflows.registry import add_blocks_from
    for path in paths:
        add_blocks_from(path)


async def _run_specification(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    for name in ("specification", "inputs"):
        if body.get(name) is None:
            raise InvalidRequestError.missing(("body", name))
    _require_few_steps(request, body["specification"])
    workflow = await run_blocking(request, compiled, body["specification"])
    return await _run(request, workflow, body)


def _require_few_steps(request: web.Request, specification: Any) -> None:
    most = request.app[LIMITS].steps
    steps = specification.get("steps") if isinstance(specification, dict) else None
    if isinstance(steps, list) and len(steps) > most:
        raise TooLargeError(f"A workflow may have {most} steps (limit: steps), not {len(steps)}.")


async def _run_named(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    return await _run(request, await _named(request, body), body)


async def _named(request: web.Request, body: Mapping[str, Any]) -> Workflow:
    names = request.match_info
    version = _field(body, "workflow_version_id", str, None)
    specification = request.app[WORKFLOWS].specification(
        names["workspace_name"], names["workflow_id"], version
    )
    return await run_blocking(request, compiled, specification)


async def _validate(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    await run_blocking(request, compiled, body)
    return json_response({"status": "ok"})


# --- Descriptions -------------------------------------------------------------------------------


async def _versions(_: web.Request) -> web.Response:
    return json_response({"versions": await asyncio.to_thread(_described, "versions")})


async def _describe_blocks(request: web.Request) -> web.Response:
    return json_response(await run_blocking(request, _described, "describe_blocks"))


async def _schema(request: web.Request) -> web.Response:
    return json_response(
        {"schema": await run_blocking(request, _described, "specification_schema")}
    )


async def _dynamic_outputs(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    return json_response(await run_blocking(request, _described, "dynamic_outputs", body))


async def _describe_given(describe: Description, request: web.Request) -> web.Response:
    body = await read_json_object(request)
    if body.get("specification") is None:
        raise InvalidRequestError.missing(("body", "specification"))
    workflow = await run_blocking(request, compiled, body["specification"])
    return json_response(await run_blocking(request, describe, workflow))


async def _describe_named(describe: Description, request: web.Request) -> web.Response:
    workflow = await _named(request, await read_json_object(request))
    return json_response(await run_blocking(request, describe, workflow))


def _interface(workflow: Workflow) -> dict[str, Any]:
    from inference_sdk.local.workflows.describe import describe_interface

    return describe_interface(workflow)


def _workload(workflow: Workflow) -> dict[str, Any]:
    from inference_sdk.local.workflows.workload import describe_workload

    return describe_workload(workflow)


_DESCRIPTIONS: Mapping[str, Description] = {
    "describe_interface": _interface,
    "describe_workload": _workload,
}
"""Of a workflow, by the end of their routes; what makes them is loaded when first asked."""


def _described(what: str, *of: Any) -> Any:
    """What `describe` says; it is loaded when first asked."""
    with _installed():
        from inference_sdk.local.workflows import describe
    return getattr(describe, what)(*of)


# --- Running ------------------------------------------------------------------------------------


async def _run(request: web.Request, workflow: Workflow, body: dict[str, Any]) -> web.Response:
    given: dict[str, Any] = _field(body, "inputs", dict, {})
    excluded: list[str] = _field(body, "excluded_fields", list, [])
    trace = Trace() if _field(body, "enable_profiling", bool, False) else None
    workflow.check_inputs(given)
    for model_id in workflow.model_ids:
        await use_model(request, model_id)
    inputs = dict(given)
    for name in workflow.image_inputs:
        inputs[name] = await _load_images(request, name, given[name])
    outputs = await run_blocking(
        request, _run_blocking, workflow, inputs, request.app, trace, excluded
    )
    return json_response({"outputs": outputs, "profiler_trace": trace.events if trace else []})


def services_of(app: web.Application) -> Any:
    """What this server lends to the steps of a workflow."""
    from inference_sdk.local.workflows.block import Services
    from inference_sdk.local.workflows.webhooks import send_webhook

    settings = app[SETTINGS]
    return Services(
        models=app[MODELS],
        workflows=app[WORKFLOWS].specification,
        sinks_directory=settings.sinks,
        webhooks=send_webhook if settings.webhooks else None,
        environment=frozenset(settings.environment),
    )


def _run_blocking(
    workflow: Workflow,
    inputs: Mapping[str, Any],
    app: web.Application,
    observer: Optional[StepObserver],
    excluded: Collection[str],
) -> list[dict[str, Any]]:
    """Outputs in their wire form; for a worker thread."""
    from inference_sdk.local.workflows.wire import to_wire

    outputs = workflow.run(inputs, services_of(app), observer)
    return [
        {name: to_wire(value) for name, value in output.items() if name not in excluded}
        for output in outputs
    ]


# --- Pictures -----------------------------------------------------------------------------------


async def _load_images(request: web.Request, name: str, given: Any) -> Any:
    """Pictures as `WorkflowImage`s; a list is a batch of them."""
    if not isinstance(given, list):
        return await _load_image(request, given, name)
    require_images(len(given), request.app[LIMITS])
    named = ((request, item, f"{name}.[{index}]") for index, item in enumerate(given))
    return await in_order(_load_image, named)


async def _load_image(request: web.Request, reference: Any, name: str) -> Any:
    from inference_sdk.local.workflows.errors import WorkflowInputError
    from inference_sdk.local.workflows.images import Lineage, WorkflowImage, still_metadata

    reference = _with_type(reference)
    try:
        pixels = await load_image(request, reference, ("body", "inputs", name))
        current_budget.get().keep_picture(pixels.shape[1], pixels.shape[0])
    except TooLargeError:
        raise
    except RequestFault as fault:
        raise WorkflowInputError(f"Input '{name}' is no picture: {fault}") from fault
    sent = reference.get("video_metadata")
    metadata = {**still_metadata(name), **(sent if isinstance(sent, dict) else {})}
    # What came is given back as it came; what came by URL was never here in that form.
    keeps = isinstance(reference.get("value"), str) and reference["type"] == "base64"
    return WorkflowImage(
        pixels, metadata=metadata, lineage=Lineage(name), sent=reference if keeps else None
    )


def _with_type(reference: Any) -> Any:
    """A reference with its type, which may be left out, as may all but the text."""
    if isinstance(reference, str):
        reference = {"value": reference}
    if not isinstance(reference, dict) or reference.get("type"):
        return reference
    value = reference.get("value")
    is_url = isinstance(value, str) and value.startswith(("http://", "https://"))
    return {**reference, "type": "url" if is_url else "base64"}


def _field(body: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise InvalidRequestError.at(
            ("body", name), f"{kind.__name__}_type", f"Input should be a {kind.__name__}", value
        )
    return value


class Trace:
    """Notes how long steps take, as events that Chrome's trace viewer shows."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, step_name: str, began: float, duration: float) -> None:
        """Add a complete event; times come in seconds and are kept in microseconds."""
        self.events.append(
            {
                "name": step_name,
                "cat": "workflow_step",
                "ph": "X",
                "ts": began * 1e6,
                "dur": duration * 1e6,
                "pid": os.getpid(),
                "tid": threading.get_native_id(),
                "args": {},
            }
        )


__all__ = ["WORKFLOWS", "Trace", "add_routes", "compiled", "services_of"]
