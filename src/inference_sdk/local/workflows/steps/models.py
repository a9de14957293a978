"""Steps that run a model on a picture.

One function for every task: which model may be asked is the business of the model store, and its
answer already has the form that a workflow gives out.
"""

from __future__ import annotations

import uuid
from typing import Any, Optional, Union

from inference_sdk.local.models import InferenceParameters
from inference_sdk.local.workflows.registry import Outputs, step
from inference_sdk.local.workflows.values import Models, Predictions, WorkflowImage

TASKS = (
    "object_detection",
    "keypoint_detection",
    "instance_segmentation",
    "classification",
    "multi_label_classification",
    "semantic_segmentation",
)


@step(
    *(
        f"roboflow_core/roboflow_{task}_model@{version}"
        for task in TASKS
        for version in ("v1", "v2")
    ),
    outputs={"predictions": Predictions, "inference_id": object, "model_id": object},
)
def run_model(
    images: WorkflowImage,
    model_id: str,
    models: Models,
    confidence: Optional[Union[float, str]] = None,
    keypoint_confidence: Optional[float] = None,
    class_filter: Optional[list[str]] = None,
    class_agnostic_nms: Optional[bool] = None,
    iou_threshold: Optional[float] = None,
    max_detections: Optional[int] = None,
    max_candidates: Optional[int] = None,
    mask_decode_mode: Optional[str] = None,
    tradeoff_factor: Optional[float] = None,
) -> Outputs:
    """Ask a model of the server's store; what is not given is left to the model's defaults."""
    given: dict[str, Any] = {
        "confidence": confidence,
        "keypoint_confidence": keypoint_confidence,
        "class_filter": class_filter,
        "class_agnostic_nms": class_agnostic_nms,
        "iou_threshold": iou_threshold,
        "max_detections": max_detections,
        "max_candidates": max_candidates,
        "mask_decode_mode": mask_decode_mode,
        "tradeoff_factor": tradeoff_factor,
    }
    parameters = {name: value for name, value in given.items() if value is not None}
    answer = models.get(model_id).infer(images.bgr, InferenceParameters.from_wire(parameters))
    return {
        "predictions": Predictions.from_answer(answer, images),
        "inference_id": str(uuid.uuid4()),
        "model_id": model_id,
    }
