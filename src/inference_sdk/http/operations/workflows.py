"""Running a workflow: images and parameters in, decoded outputs back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.exchange import exchange, made_of
from inference_sdk.http.operations.inference import IMAGE_INPUT
from inference_sdk.http.operations.metadata import not_counted
from inference_sdk.http.operations.state import ClientState
from inference_sdk.http.steps import Compute, LoadNestedImages, Operation
from inference_sdk.http.utils.iterables import remove_empty_values
from inference_sdk.http.utils.json_values import described
from inference_sdk.http.utils.post_processing import decode_workflow_outputs
from inference_sdk.http.utils.profilling import save_workflows_profiler_trace
from inference_sdk.http.utils.requests import inject_nested_batches_of_images_into_payload
from inference_sdk.utils.notices import warn_user
from inference_sdk.utils.shortening import shortened


@dataclass(frozen=True)
class WorkflowReference:
    """Which workflow: one of a workspace, or a specification."""

    workspace_name: str | None
    workflow_id: str | None
    specification: dict[str, Any] | None

    def __post_init__(self) -> None:
        named = self.workspace_name is not None and self.workflow_id is not None
        if named == (self.specification is not None):
            given = "both" if named else "neither"
            raise InvalidParameterError(
                "A workflow is named by workspace_name and workflow_id, or given by its "
                f"specification; got {given}."
            )

    def url(self, state: ClientState, legacy: bool) -> str:
        if self.specification is not None:
            path = (
                endpoints.LEGACY_WORKFLOW_SPECIFICATION
                if legacy
                else endpoints.WORKFLOW_SPECIFICATION
            )
            return state.bare_url(path)
        return state.bare_url(
            endpoints.LEGACY_WORKFLOW_BY_ID if legacy else endpoints.WORKFLOW_BY_ID,
            workspace_name=str(self.workspace_name),
            workflow_id=str(self.workflow_id),
        )


def infer_from_workflow(
    state: ClientState, *, workflow_name: str | None, **arguments: Any
) -> Operation[list[dict[str, Any]]]:
    """As `run_workflow`, at the addresses of servers before it."""
    return run_workflow(state, workflow_id=workflow_name, legacy=True, **arguments)


def run_workflow(state: ClientState, **arguments: Any) -> Operation[list[dict[str, Any]]]:
    """Run a workflow; arguments as of `send`."""
    answer = yield from send(state, **arguments)
    parsed = yield from made_of(answer, answer.json_object)
    if arguments["enable_profiling"]:
        directory = state.configuration.profiling_directory
        yield Compute(_save_profile, directory, parsed.get("profiler_trace") or [])
    with answer.being_read():
        decode = partial(
            decode_workflow_outputs,
            workflow_outputs=_outputs(answer, parsed),
            expected_format=state.configuration.output_visualisation_format,
        )
        return (yield from made_of(answer, decode))


def _save_profile(directory: str, trace: list[dict[str, Any]]) -> None:
    try:
        save_workflows_profiler_trace(directory, trace)
    except OSError as error:  # what the workflow did is done, and its outputs are worth more
        warn_user(f"The profile could not be saved in {directory!r}: {error}.", UserWarning)


def send(
    state: ClientState,
    *,
    workspace_name: str | None,
    workflow_id: str | None,
    specification: dict[str, Any] | None,
    images: dict[str, Any] | None,
    parameters: dict[str, Any] | None,
    excluded_fields: list[str] | None,
    use_cache: bool,
    enable_profiling: bool,
    workflow_version_id: str | None,
    disable_sinks: bool,
    legacy: bool = False,
) -> Operation[Answer]:
    """The request of a run, and its answer as it came.

    Arguments as of the client's method; `legacy` chooses the addresses.
    """
    workflow = WorkflowReference(workspace_name, workflow_id, specification)
    _require_named("images", images, "image")
    _require_named("parameters", parameters, "confidence")
    inputs = yield from _load_inputs(images or {}, parameters or {})
    payload = state.keyed_body(
        use_cache=use_cache,
        enable_profiling=enable_profiling,
        inputs=inputs,
        **remove_empty_values(
            {
                "specification": workflow.specification,
                "excluded_fields": excluded_fields,
                # Of a workflow that is named; a specification is its own version.
                "workflow_version_id": None if specification else workflow_version_id,
                # Servers before 1.5 do not know the field.
                "disable_sinks": disable_sinks or None,
            }
        ),
    )
    return (
        yield from exchange(
            state,
            state.json_request(workflow.url(state, legacy), payload),
            retries=state.configuration.workflow_run_retries_enabled,
            book=not_counted,
        )
    )


def _require_named(argument: str, given: Any, example: str) -> None:
    if given is None or isinstance(given, Mapping):
        return
    raise InvalidParameterError(
        f"{argument} is {shortened(repr(given), 60)} (a {type(given).__name__}), but must be a dict "
        f"of the workflow's inputs by name, such as {argument}={{{example!r}: …}}."
    )


def _load_inputs(images: dict[str, Any], parameters: dict[str, Any]) -> Operation[dict[str, Any]]:
    inputs: dict[str, Any] = {}
    for name, image in images.items():
        loaded = yield LoadNestedImages({IMAGE_INPUT: image})
        inputs = inject_nested_batches_of_images_into_payload(inputs, loaded, key=name)
    return {**inputs, **parameters}


def _outputs(answer: Answer, parsed: dict[str, Any]) -> list[dict[str, Any]]:
    outputs = parsed.get("outputs")
    if isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs):
        return outputs
    what = described(parsed) if outputs is None else f"{described(outputs)} as 'outputs'"
    raise answer.unusable(f"with {what}, not with the list 'outputs' of objects")
