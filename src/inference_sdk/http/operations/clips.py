"""`infer_on_video`: a whole clip to a model that watches it, against either API."""

from __future__ import annotations

import os
from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.entities import HTTPClientMode, ModelDescription
from inference_sdk.http.errors import (
    EncodingError,
    InvalidInputFormatError,
    ModelTaskTypeNotSupportedError,
)
from inference_sdk.http.operations.described import Describe
from inference_sdk.http.operations.exchange import exchange_object
from inference_sdk.http.operations.image_inputs import is_file, uri_is_http_link
from inference_sdk.http.operations.inference import VIDEO_INFERENCE_ENDPOINTS, hosted_model
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Call, Compute, Operation
from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.http.utils.encoding import encode_base_64
from inference_sdk.http.utils.iterables import remove_empty_values
from inference_sdk.http.utils.request_building import RequestData
from inference_sdk.utils.masking import knowing

FORM = "application/x-www-form-urlencoded"
"""As which a hosted model takes a bare clip."""


def infer_on_video(
    state: ClientState, video_reference: Any, model_id: str | None
) -> Operation[Any]:
    """A result by the API that the client is set to."""
    api = "v0" if state.mode is HTTPClientMode.V0 else "v1"
    arguments = {"video_reference": video_reference, MODEL_ID: model_id}
    return (yield Call(f"infer_on_video_from_api_{api}", arguments))


def infer_on_video_from_api_v0(
    state: ClientState, video_reference: Any, model_id: str | None
) -> Operation[Any]:
    url = state.bare_url(endpoints.INFER_V0, model_id=hosted_model(state, model_id))
    classes = state.configuration.class_filter
    kind, value = yield from _load(video_reference)
    parameters = remove_empty_values(
        {
            "class_filter": ",".join(classes) if classes else None,
            "image": value if kind == "url" else None,
        }
    )
    request = RequestData(
        url=url,
        request_elements=1,
        headers=state.headers(FORM if kind == "base64" else None),
        parameters=state.v0_query(**parameters),
        data=value if kind == "base64" else None,
        payload=None,
        image_scaling_factors=[None],
    )
    return (yield from _sent(state, request, kind, value))


def infer_on_video_from_api_v1(
    state: ClientState, video_reference: Any, model_id: str | None
) -> Operation[Any]:
    """Raises:
    ModelTaskTypeNotSupportedError: the model takes images, not clips.
    """
    state.require_v1("infer_on_video_from_api_v1()")
    model = resolve_roboflow_model_alias(state.require_model(model_id))
    description: ModelDescription = yield Describe(state, model)
    endpoint = VIDEO_INFERENCE_ENDPOINTS.get(description.task_type)
    if endpoint is None:
        raise ModelTaskTypeNotSupportedError(
            f"Model {model!r} does {description.task_type}, which takes images. Use infer(), or "
            "infer_on_stream() for the frames of a video."
        )
    kind, value = yield from _load(video_reference)
    fields = {MODEL_ID: model, "class_filter": state.configuration.class_filter}
    request = state.post_to_model(
        endpoint, {"video": {"type": kind, "value": value}, **remove_empty_values(fields)}
    )
    return (yield from _sent(state, request, kind, value))


def _sent(state: ClientState, request: RequestData, kind: str, value: str) -> Operation[Any]:
    """The answer to a clip; a signed URL of one is masked where the server repeats it."""
    with knowing(value if kind == "url" else ""):
        return (yield from exchange_object(state, request, repeatable=kind == "url"))


def _load(video_reference: Any) -> Operation[tuple[str, str]]:
    """A clip as ("url", URL) or ("base64", text)."""
    if isinstance(video_reference, str) and uri_is_http_link(video_reference):
        return "url", video_reference.strip()
    if not isinstance(video_reference, (str, os.PathLike)):
        raise InvalidInputFormatError(
            f"A {type(video_reference).__name__} is no clip. Pass an http(s) URL or a path."
        )
    path = os.fspath(video_reference)
    if not is_file(path):
        raise InvalidInputFormatError(f"There is no file {path!r}.")
    return "base64", (yield Compute(_read, path))


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return encode_base_64(file.read())
    except OSError as error:
        raise EncodingError(f"{path!r} cannot be read: {error.strerror}.") from error
