"""Pipelines: workflows that a server runs on a video source of its own, and that are polled."""

from __future__ import annotations

from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.exchange import exchange_object
from inference_sdk.http.operations.metadata import not_counted
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.operations.workflows import WorkflowReference
from inference_sdk.http.steps import Operation
from inference_sdk.utils.masking import remember_url

_VIDEO_FIELDS = (
    "video_reference",
    "max_fps",
    "source_buffer_filling_strategy",
    "source_buffer_consumption_strategy",
    "video_source_properties",
    "batch_collection_timeout",
)
_PROCESSING_FIELDS = (
    "workflow_specification",
    "workspace_name",
    "workflow_id",
    "image_input_name",
    "workflows_parameters",
    "workflows_thread_pool_workers",
    "cancel_thread_pool_tasks_on_exit",
    "video_metadata_input_name",
)
_SINK_FIELDS = ("results_buffer_size",)


def start(state: ClientState, **arguments: Any) -> Operation[Any]:
    """Start a pipeline; the arguments of the client's method are the fields of the body."""
    WorkflowReference(
        arguments["workspace_name"], arguments["workflow_id"], arguments["workflow_specification"]
    )
    _remember_cameras(arguments["video_reference"])
    payload = state.keyed_body(
        video_configuration=_typed("VideoConfiguration", arguments, _VIDEO_FIELDS),
        processing_configuration=_typed("WorkflowConfiguration", arguments, _PROCESSING_FIELDS),
        sink_configuration=_typed("MemorySinkConfiguration", arguments, _SINK_FIELDS),
    )
    request = state.json_request(state.bare_url(endpoints.PIPELINE_START), payload)
    return exchange_object(_home(state), request, repeatable=False, book=not_counted)


def _remember_cameras(reference: Any) -> None:
    """Their passwords come back in what the server says of the pipeline, at any time."""
    for source in reference if isinstance(reference, (list, tuple)) else [reference]:
        if isinstance(source, str):
            remember_url(source)


def _typed(kind: str, arguments: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {"type": kind, **{name: arguments[name] for name in names}}


def list_all(state: ClientState) -> Operation[Any]:
    request = state.json_request(state.bare_url(endpoints.PIPELINE_LIST), state.keyed_body())
    return exchange_object(_home(state), request, RequestMethod.GET, book=not_counted)


def status(state: ClientState, pipeline_id: str) -> Operation[Any]:
    return _of_one(state, endpoints.PIPELINE_STATUS, pipeline_id, RequestMethod.GET)


def pause(state: ClientState, pipeline_id: str) -> Operation[Any]:
    return _of_one(state, endpoints.PIPELINE_PAUSE, pipeline_id)


def resume(state: ClientState, pipeline_id: str) -> Operation[Any]:
    return _of_one(state, endpoints.PIPELINE_RESUME, pipeline_id)


def terminate(state: ClientState, pipeline_id: str) -> Operation[Any]:
    return _of_one(state, endpoints.PIPELINE_TERMINATE, pipeline_id)


def consume(
    state: ClientState, pipeline_id: str, excluded_fields: list[str] | None
) -> Operation[Any]:
    return _of_one(
        state,
        endpoints.PIPELINE_CONSUME,
        pipeline_id,
        RequestMethod.GET,
        excluded_fields=excluded_fields or [],
    )


def _of_one(
    state: ClientState,
    path: str,
    pipeline_id: str,
    method: RequestMethod = RequestMethod.POST,
    **fields: Any,
) -> Operation[Any]:
    """Raises:
    InvalidParameterError: the id is empty.
    """
    if not pipeline_id:
        raise InvalidParameterError(
            "pipeline_id is empty. Pass the id that start_inference_pipeline_with_workflow() or "
            "list_inference_pipelines() gave."
        )
    url = state.bare_url(path, pipeline_id=pipeline_id)
    request = state.json_request(url, state.keyed_body(**fields))
    return (yield from exchange_object(_home(state), request, method, book=not_counted))


def _home(state: ClientState) -> ClientState:
    """Of several servers, the first has all pipelines: an id means nothing to another."""
    return state.bound_to(state.api_url)
