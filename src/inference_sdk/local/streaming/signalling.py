"""`POST /initialise_webrtc_worker`: from a client's offer to a running stream and its answer.

Light on purpose: aiortc and PyAV are loaded with the first stream, in a thread, so a program that
embeds a server and streams nothing pays nothing for them. A process that only serves loads them
once it listens (`load_ahead`): the first stream's first frames then need not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from inference_sdk.http.endpoints import WEBRTC_WORKER
from inference_sdk.local.faults import RequestFault
from inference_sdk.local.streaming.addresses import judge
from inference_sdk.local.streaming.request import StreamRequest, WorkflowChoice, parse_request
from inference_sdk.local.wire import (
    json_response,
    read_json_object,
    run_blocking,
    use_model,
)
from inference_sdk.local.workflows.errors import WorkflowInputError, WorkflowReferenceError
from inference_sdk.local.workflows.library import WORKFLOWS
from inference_sdk.local.workflows.routes import compiled, services_of

if TYPE_CHECKING:
    from inference_sdk.local.streaming.frames import RunWorkflow
    from inference_sdk.local.streaming.session import StreamSession
    from inference_sdk.local.workflows.engine import Workflow
    from inference_sdk.local.workflows.images import WorkflowImage

MAX_STREAMS = 64
"""At once. Each has a connection, threads, and a decoder or two."""

MAX_CONNECTING = 16
"""Of one client address, that are not connected yet: an offer that nobody stands behind holds its
place until the time for connecting is over."""


class StreamingUnavailableError(RequestFault):
    """The packages for WebRTC are not installed."""

    status = 501


class TooManyStreamsError(RequestFault):
    """All streams this server can run are taken."""

    status = 503


STREAMS: web.AppKey[set[StreamSession]] = web.AppKey("streams")
WINDOW = web.AppKey("stream_window", int)


def add_routes(app: web.Application, *, window: int = 1) -> None:
    """Add the worker's route, and close what still streams when the application shuts down.

    Args:
        app: must have `MODELS`, and the routes of `local.workflows`.
        window: frames that a stream in batch mode may be ahead of the client's acknowledgements.
    """
    streams: set[StreamSession] = set()
    app[STREAMS] = streams
    app[WINDOW] = window
    app.on_shutdown.append(_close_streams)
    app.router.add_post(WEBRTC_WORKER, _initialise)


async def _initialise(request: web.Request) -> web.Response:
    body = await read_json_object(request)
    wanted = await run_blocking(request, judge, parse_request(body))
    run = await _prepare(request, wanted)
    session_type = await run_blocking(request, _load_session_type)
    streams = request.app[STREAMS]
    if len(streams) >= MAX_STREAMS:
        raise TooManyStreamsError(
            f"This server runs {MAX_STREAMS} streams at once, and all are taken. Close some."
        )
    client = request.remote or ""
    if sum(one.client == client and not one.connected for one in streams) >= MAX_CONNECTING:
        raise TooManyStreamsError(
            f"{MAX_CONNECTING} streams of this address are not connected yet. Connect them, or wait."
        )
    session = session_type(wanted, run, request.app[WINDOW], client)
    streams.add(session)
    try:
        sdp = await session.answer(streams.discard)
    except RequestFault:
        streams.discard(session)
        raise
    return json_response({"status": "success", "context": {}, "type": "answer", "sdp": sdp})


async def _close_streams(app: web.Application) -> None:
    streams = app[STREAMS]
    await asyncio.gather(*(session.close() for session in tuple(streams)))


async def _prepare(request: web.Request, wanted: StreamRequest) -> RunWorkflow:
    """The workflow, ready to run on frames; everything that could fail at its start has.

    Raises:
        WorkflowError: the specification, an input or an output is wrong.
        RequestFault: there is no such workflow, or no such model.
    """
    choice = wanted.workflow
    workflow = await run_blocking(request, _workflow, request, choice)
    _check_names(workflow, wanted)
    for model_id in workflow.model_ids:
        await use_model(request, model_id)
    return await run_blocking(request, _runner, workflow, choice, services_of(request.app))


def _runner(workflow: Workflow, choice: WorkflowChoice, services: Any) -> RunWorkflow:
    """What runs the workflow on a frame; what its steps keep lives as long as the stream."""
    from inference_sdk.local.workflows.engine import State
    from inference_sdk.local.workflows.images import Lineage

    state, lineage = State(), Lineage(choice.image_input)

    def run(image: WorkflowImage) -> dict[str, Any]:
        image.lineage = lineage
        inputs = {**choice.parameters, choice.image_input: image}
        return workflow.run(inputs, services, state=state)[0]

    return run


def _workflow(request: web.Request, choice: WorkflowChoice) -> Workflow:
    if choice.specification is not None:
        return compiled(choice.specification)
    named = request.app[WORKFLOWS].specification(str(choice.workspace), str(choice.workflow_id))
    return compiled(named)


def _check_names(workflow: Workflow, wanted: StreamRequest) -> None:
    choice = wanted.workflow
    if choice.image_input not in workflow.image_inputs:
        raise WorkflowInputError(
            f"The workflow has no image input '{choice.image_input}', only "
            f"{', '.join(workflow.image_inputs) or 'none'}. Set image_input_name."
        )
    workflow.check_inputs({*choice.parameters, choice.image_input})
    named = filter(None, (wanted.picture_output, *wanted.data_outputs))
    unknown = sorted(set(named) - set(workflow.outputs))
    if unknown:
        raise WorkflowReferenceError(
            f"stream_output and data_output name {', '.join(unknown)}; the outputs of the "
            f"workflow are {', '.join(workflow.outputs) or 'none'}."
        )


def load_ahead() -> None:
    """Load what a stream needs, beside whatever else goes on; without the packages, nothing."""

    def load() -> None:
        with contextlib.suppress(RequestFault):
            _load_session_type()

    threading.Thread(target=load, name="inference-sdk-load-ahead", daemon=True).start()


def _load_session_type() -> type[StreamSession]:
    try:
        from inference_sdk.local.streaming.session import StreamSession
    except ImportError as error:
        raise StreamingUnavailableError(
            "This server has no WebRTC. Install it with: pip install 'inference-sdk[webrtc]'"
        ) from error
    return StreamSession
