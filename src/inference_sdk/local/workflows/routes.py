"""The door of workflows: `/workflows/run`, named workflows, and the deprecated `/infer/workflows`.

Takes the request apart, loads pictures, runs the workflow on a worker thread, and writes what came
out. Knows nothing of steps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any, Optional

from aiohttp import web

from inference_sdk.http import endpoints
from inference_sdk.local.faults import InvalidRequestError, RequestFault
from inference_sdk.local.wire import (
    MODELS,
    in_order,
    json_response,
    load_image,
    read_json_object,
    run_blocking,
    use_model,
)
from inference_sdk.local.workflows.engine import StepObserver, Workflow
from inference_sdk.local.workflows.values import Models, WorkflowImage, to_wire


class UnknownWorkflowError(RequestFault):
    """A workflow that was not registered at this server."""

    status = 404


class NamedWorkflows:
    """Workflows that this server knows by name, each perhaps in several versions.

    Example:
        >>> app[WORKFLOWS].register("my-workspace", "find-cups", specification)
    """

    def __init__(self) -> None:
        self._workflows: dict[tuple[str, str, Optional[str]], Workflow] = {}

    def register(
        self,
        workspace: str,
        workflow_id: str,
        specification: Mapping[str, Any],
        version: Optional[str] = None,
    ) -> None:
        """Make a workflow known, replacing what had its name and version.

        Raises:
            WorkflowError: the specification is wrong.
        """
        self._workflows[workspace, workflow_id, version] = Workflow(specification)

    def get(self, workspace: str, workflow_id: str, version: Optional[str] = None) -> Workflow:
        """The workflow of a name.

        Raises:
            UnknownWorkflowError: there is none; says which there are.
        """
        found = self._workflows.get((workspace, workflow_id, version))
        if found is None:
            known = ", ".join(sorted({f"{space}/{name}" for space, name, _ in self._workflows}))
            wanted = f"'{workspace}/{workflow_id}'" + (f", version {version}" if version else "")
            raise UnknownWorkflowError(
                f"This server has no workflow {wanted}. Registered: {known or 'none'}. Send the "
                "specification itself, or register it with NamedWorkflows.register."
            )
        return found


WORKFLOWS = web.AppKey("workflows", NamedWorkflows)


def add_routes(app: web.Application) -> None:
    """Add the endpoints of workflows; `app` must have `MODELS`."""
    app[WORKFLOWS] = NamedWorkflows()
    for path in (endpoints.WORKFLOW_SPECIFICATION, endpoints.LEGACY_WORKFLOW_SPECIFICATION):
        app.router.add_post(path, _run_specification)
    for path in (endpoints.WORKFLOW_BY_ID, endpoints.LEGACY_WORKFLOW_BY_ID):
        app.router.add_post(path, _run_named)


async def _run_specification(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    if body.get("specification") is None:
        raise InvalidRequestError.missing(("body", "specification"))
    return await _run(request, Workflow(body["specification"]), body)


async def _run_named(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    names = request.match_info
    version = _field(body, "workflow_version_id", str, None)
    workflow = request.app[WORKFLOWS].get(names["workspace_name"], names["workflow_id"], version)
    return await _run(request, workflow, body)


async def _run(request: web.Request, workflow: Workflow, body: dict[str, Any]) -> web.Response:
    given: dict[str, Any] = _field(body, "inputs", dict, {})
    excluded: list[str] = _field(body, "excluded_fields", list, [])
    trace = Trace() if _field(body, "enable_profiling", bool, False) else None
    workflow.check_inputs(given)
    for model_id in workflow.model_ids:
        await use_model(request, model_id)
    inputs = dict(given)
    for name in workflow.image_inputs:
        inputs[name] = await _load_images(request, given[name], ("body", "inputs", name))
    models = request.app[MODELS]
    outputs = await run_blocking(request, _run_blocking, workflow, inputs, models, trace, excluded)
    return json_response({"outputs": outputs, "profiler_trace": trace.events if trace else []})


def _run_blocking(
    workflow: Workflow,
    inputs: Mapping[str, Any],
    models: Models,
    observer: Optional[StepObserver],
    excluded: Collection[str],
) -> list[dict[str, Any]]:
    """Outputs in their wire form; for a worker thread."""
    outputs = workflow.run(inputs, models, observer)
    return [
        {name: to_wire(value) for name, value in output.items() if name not in excluded}
        for output in outputs
    ]


async def _load_images(
    request: web.Request, reference: Any, location: tuple[str | int, ...]
) -> Any:
    """Pictures as `WorkflowImage`s, in lists nested as they came."""
    if isinstance(reference, list):
        parts = ((request, item, (*location, index)) for index, item in enumerate(reference))
        return await in_order(_load_images, parts)
    pixels = await load_image(request, reference, location)
    return WorkflowImage(pixels, metadata=_metadata(reference, location))


def _metadata(reference: Mapping[str, Any], location: tuple[str | int, ...]) -> dict[str, Any]:
    """What is known of a picture: as it was sent, else that it stands alone."""
    sent = reference.get("video_metadata")
    if isinstance(sent, dict):
        return sent
    _, _, name, *indices = location
    return {
        "video_identifier": "".join([str(name), *(f".[{index}]" for index in indices)]),
        "frame_number": 0,
        "frame_timestamp": datetime.now(timezone.utc).isoformat(),
        "fps": None,
        "measured_fps": None,
        "comes_from_video_file": None,
    }


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
