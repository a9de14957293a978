"""Segment Anything: SAM 2 and SAM 3, by points, boxes, concepts, and in 3D."""

from __future__ import annotations

from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.operations.image_calls import call_endpoint
from inference_sdk.http.operations.loading import flatten
from inference_sdk.http.operations.state import MODEL_ID, ClientState
from inference_sdk.http.steps import Operation
from inference_sdk.http.utils.iterables import unwrap_single_element_list

PROMPTS = "prompts"
FORMAT = "format"
MULTIMASK_OUTPUT = "multimask_output"


def sam2_segment_image(
    state: ClientState,
    inference_input: Any,
    prompts: list[dict[str, Any]] | None,
    sam2_version_id: str,
    multimask_output: bool,
    mask_input_format: str,
) -> Operation[Any]:
    fields = {
        "sam2_version_id": sam2_version_id,
        **_visual_fields(prompts, multimask_output, mask_input_format),
    }
    return _segment(state, endpoints.SAM2_SEGMENT, fields, inference_input)


def sam3_visual_segment(
    state: ClientState,
    inference_input: Any,
    prompts: list[dict[str, Any]] | None,
    multimask_output: bool,
    mask_input_format: str,
) -> Operation[Any]:
    fields = _visual_fields(prompts, multimask_output, mask_input_format)
    return _segment(state, endpoints.SAM3_VISUAL_SEGMENT, fields, inference_input)


def _visual_fields(
    prompts: list[dict[str, Any]] | None, multimask_output: bool, mask_input_format: str
) -> dict[str, Any]:
    return {
        MULTIMASK_OUTPUT: multimask_output,
        FORMAT: mask_input_format,
        PROMPTS: None if prompts is None else {PROMPTS: prompts},
    }


def sam3_concept_segment(
    state: ClientState,
    inference_input: Any,
    prompts: list[dict[str, Any]],
    model_id: str,
    output_prob_thresh: float,
    nms_iou_threshold: float | None,
    format: str,
) -> Operation[Any]:
    fields = {
        MODEL_ID: model_id,
        PROMPTS: prompts,
        "output_prob_thresh": output_prob_thresh,
        "nms_iou_threshold": nms_iou_threshold,
        FORMAT: format,
    }
    return _segment(state, endpoints.SAM3_CONCEPT_SEGMENT, fields, inference_input)


def sam3_embed_image(
    state: ClientState, inference_input: Any, image_id: str | None
) -> Operation[Any]:
    return _segment(state, endpoints.SAM3_EMBED_IMAGE, {"image_id": image_id}, inference_input)


def sam3_3d_infer(
    state: ClientState, inference_input: Any, mask_input: Any, model_id: str, **flags: bool
) -> Operation[Any]:
    """Raises:
    InvalidParameterError: not exactly one image.
    """
    count = sum(1 for _ in flatten(inference_input))
    if count != 1:
        raise InvalidParameterError(f"sam3_3d_infer() takes one image, got {count}.")
    fields = {MODEL_ID: model_id, **flags}
    required = {"mask_input": mask_input}
    return _segment(state, endpoints.SAM3_3D, fields, inference_input, required)


def _segment(
    state: ClientState,
    path: str,
    fields: dict[str, Any],
    inference_input: Any,
    required: dict[str, Any] | None = None,
) -> Operation[Any]:
    results = yield from call_endpoint(state, path, fields, inference_input, required=required)
    return unwrap_single_element_list(results)
