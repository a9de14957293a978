"""Pipelines: workflows that a server runs on a video source of its own, and that are polled."""

from __future__ import annotations

from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.exchange import exchange_json
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.operations.workflows import WorkflowReference
from inference_sdk.http.steps import Operation


def start(
    state: ClientState,
    workflow: WorkflowReference,
    *,
    video: dict[str, Any],
    processing: dict[str, Any],
    results_buffer_size: int,
) -> Operation[Any]:
    payload = state.keyed_body(
        video_configuration={"type": "VideoConfiguration", **video},
        processing_configuration={
            "type": "WorkflowConfiguration",
            "workflow_specification": workflow.specification,
            "workspace_name": workflow.workspace_name,
            "workflow_id": workflow.workflow_id,
            **processing,
        },
        sink_configuration={
            "type": "MemorySinkConfiguration",
            "results_buffer_size": results_buffer_size,
        },
    )
    request = state.json_request(state.unkeyed_url(endpoints.PIPELINE_START), payload)
    return exchange_json(state, request)


def list_all(state: ClientState) -> Operation[Any]:
    request = state.json_request(state.unkeyed_url(endpoints.PIPELINE_LIST), state.keyed_body())
    return exchange_json(state, request, RequestMethod.GET)


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
    url = state.unkeyed_url(path, pipeline_id=pipeline_id)
    request = state.json_request(url, state.keyed_body(**fields))
    return (yield from exchange_json(state, request, method))
