"""Models with an endpoint of their own: reading, gazes, language, depth, open vocabulary."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

from inference_sdk.http import endpoints
from inference_sdk.http.answers import Answer
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.image_calls import (
    Factor,
    answers_per_image,
    call_endpoint,
)
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Operation
from inference_sdk.http.utils.aliases import resolve_ocr_path
from inference_sdk.http.utils.depth_maps import decode_depth_estimation_result
from inference_sdk.http.utils.iterables import unwrap_single_element_list
from inference_sdk.http.utils.post_processing import combine_gaze_detections

DepthMapFormat = Literal["json", "png16", "png8"]
DEPTH_MAP_FORMATS = get_args(DepthMapFormat)


class _NotNamed(str):
    """A default that can be told from the same text, given by a caller."""


DEPTH_MAP_FORMAT_NOT_NAMED = cast(DepthMapFormat, _NotNamed(DEPTH_MAP_FORMATS[0]))


def ocr_image(
    state: ClientState,
    inference_input: Any,
    model: str,
    version: str | None,
    quantize: bool | None,
    generate_bounding_boxes: bool | None,
    language_codes: list[str] | None,
) -> Operation[Any]:
    fields = {
        f"{model.lower()}_version_id": version,
        "quantize": quantize,
        "generate_bounding_boxes": generate_bounding_boxes,
        "language_codes": language_codes,
    }
    results = yield from call_endpoint(
        state, resolve_ocr_path(model), fields, inference_input, batched=False
    )
    return unwrap_single_element_list(results)


def detect_gazes(state: ClientState, inference_input: Any) -> Operation[Any]:
    state.require_v1("detect_gazes()")
    results = yield from call_endpoint(state, endpoints.GAZE_DETECTION, {}, inference_input)
    return combine_gaze_detections(detections=unwrap_single_element_list(results))


def infer_lmm(
    state: ClientState,
    inference_input: Any,
    model_id: str,
    prompt: str | None,
    model_id_in_path: bool,
    max_new_tokens: int | None,
    enable_thinking: bool | None,
) -> Operation[Any]:
    fields = {
        MODEL_ID: model_id,
        "prompt": prompt,
        "max_new_tokens": max_new_tokens,
        "enable_thinking": enable_thinking,
    }
    path = endpoints.LMM_BY_MODEL if model_id_in_path else endpoints.LMM
    results = yield from call_endpoint(state, path, fields, inference_input, model_id=model_id)
    return unwrap_single_element_list(results)


def depth_estimation(
    state: ClientState,
    inference_input: Any,
    model_id: str,
    model_id_in_path: bool,
    depth_map_format: str,
) -> Operation[Any]:
    """Raises:
    InvalidParameterError: there is no such format.
    """
    if depth_map_format not in DEPTH_MAP_FORMATS:
        raise InvalidParameterError(
            f"depth_map_format is {depth_map_format!r}, but must be one of {DEPTH_MAP_FORMATS}."
        )
    # Servers before 1.5 do not know the field, so it is sent only when the caller named it.
    chosen = None if depth_map_format is DEPTH_MAP_FORMAT_NOT_NAMED else depth_map_format
    path = endpoints.DEPTH_ESTIMATION_BY_MODEL if model_id_in_path else endpoints.DEPTH_ESTIMATION
    results = yield from call_endpoint(
        state,
        path,
        {MODEL_ID: model_id, "depth_map_format": chosen},
        inference_input,
        decode=_decode_depth_maps,
        model_id=model_id,
    )
    return unwrap_single_element_list(results)


def _decode_depth_maps(answer: Answer, factors: list[Factor]) -> list[Any]:
    return [decode_depth_estimation_result(each) for each in answers_per_image(answer, factors)]


def infer_from_yolo_world(
    state: ClientState,
    inference_input: Any,
    class_names: list[str],
    model_version: str | None,
    confidence: float | None,
) -> Operation[list[Any]]:
    fields = {
        "text": class_names,
        "yolo_world_version_id": model_version,
        "confidence": confidence,
    }
    return call_endpoint(state, endpoints.YOLO_WORLD, fields, inference_input, batched=False)
