"""Requests apart from what is made of their answers, for whoever times the one without the other.

Roboflow's `inference benchmark api-speed` goes round the public calls by the four methods here: it
prepares requests, times the sending, and reads the answers' JSON and headers itself. Underscores
and all, their names and arguments are what it relies on; they are thin forms of the same operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inference_sdk.http.client_base import ClientBase, given
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import image_calls, inference, workflows
from inference_sdk.http.steps import Operation
from inference_sdk.http.utils.request_building import RequestData

if TYPE_CHECKING:
    from requests import Response

    from inference_sdk.http.answers import Answer


class BareRequests(ClientBase):
    """Part of `InferenceHTTPClient`: prepared requests, and answers as they came."""

    def _prepare_infer_from_api_v0_request_data(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> list[RequestData]:
        """What `infer_from_api_v0` would send."""
        call = inference.plan_v0(self._state, model_id)
        return self._run(image_calls.prepare(call, inference_input))

    def _prepare_infer_from_api_v1_request_data(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> list[RequestData]:
        """What `infer_from_api_v1` would send, after it has looked the model up."""
        call = self._run(inference.plan_v1(self._state, model_id))
        return self._run(image_calls.prepare(call, inference_input))

    def _execute_infer_from_api_request(self, requests_data: list[RequestData]) -> list[Response]:
        """Send prepared requests; errors as of `infer`."""
        answers = self._run(image_calls.execute(self._state, requests_data))
        return [_response(answer) for answer in answers]

    def _execute_workflow_request(
        self,
        workspace_name: str | None = None,
        workflow_id: str | None = None,
        specification: dict[str, Any] | None = None,
        images: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        excluded_fields: list[str] | None = None,
        legacy_endpoints: bool = False,
        use_cache: bool = True,
        enable_profiling: bool = False,
        workflow_version_id: str | None = None,
        disable_sinks: bool = False,
    ) -> Response:
        """Send what `run_workflow` would; errors as of it."""
        arguments = given(locals())
        legacy = arguments.pop("legacy_endpoints")
        operation: Operation[Answer] = workflows.send(self._state, legacy=legacy, **arguments)
        return _response(self._run(operation))


def _response(answer: Answer) -> Response:
    from inference_sdk.http.transport.through_requests import as_response

    return as_response(answer)
