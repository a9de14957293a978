"""The tasks of the API: where each is asked for, and which model is meant.

Detection, keypoints, segmentation, classification and OCR are answered by the packaged models; for the others there
is none, but a user can register one under the id that a request leads to. A task that needs more
than an image goes in here only with the routes that can serve it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inference_sdk.http import endpoints
from inference_sdk.local.faults import InvalidRequestError


@dataclass(frozen=True)
class Task:
    """One endpoint that takes images and a model."""

    path: str
    noun: str
    """What the model is called in sentences."""

    task_types: frozenset[str] = frozenset()
    """Kinds of model that may answer, as in descriptions; empty: whichever has the id."""

    model_field: str = "model_id"
    """Of the body."""

    model_id_form: str = "{}"
    """What becomes of the field: where clients send only a version, the family goes before it."""

    default_model: str | None = None
    """Taken when the field is not given."""

    packaged: bool = False
    extra: str | None = None
    """That brings a model for it, where it is installed."""

    def model_id(self, body: Mapping[str, Any], path_parts: Mapping[str, str]) -> str:
        """The id that a request means.

        Raises:
            InvalidRequestError: it names no model, and the task has no default.
        """
        named = path_parts.get("model_id") or body.get(self.model_field) or self.default_model
        if named is None:
            raise InvalidRequestError.missing(("body", self.model_field))
        if not isinstance(named, str):
            raise InvalidRequestError.at(
                ("body", self.model_field),
                "string_type",
                "Input should be a valid string",
                named,
            )
        return self.model_id_form.format(named)


def _family(path: str, noun: str, family: str, version: str, extra: str | None = None) -> Task:
    return Task(
        path,
        noun,
        model_field=f"{family}_version_id",
        model_id_form=family + "/{}",
        default_model=version,
        extra=extra,
    )


TASKS = (
    Task(
        endpoints.OBJECT_DETECTION,
        "an object detection model",
        frozenset({"object-detection"}),
        packaged=True,
    ),
    Task(
        endpoints.KEYPOINTS_DETECTION,
        "a keypoint detection model",
        frozenset({"keypoint-detection"}),
        packaged=True,
    ),
    Task(
        endpoints.INSTANCE_SEGMENTATION,
        "an instance segmentation model",
        frozenset({"instance-segmentation"}),
        packaged=True,
    ),
    Task(
        endpoints.CLASSIFICATION,
        "a classification model",
        frozenset({"classification", "multi-label-classification"}),
        packaged=True,
    ),
    Task(
        endpoints.SEMANTIC_SEGMENTATION,
        "a semantic segmentation model",
        frozenset({"semantic-segmentation"}),
    ),
    Task(endpoints.EMBEDDINGS, "an image embedding model"),
    Task(endpoints.LMM, "a language model"),
    Task(endpoints.LMM_BY_MODEL, "a language model"),
    Task(
        endpoints.DEPTH_ESTIMATION,
        "a depth estimation model",
        default_model="depth-anything-v3/small",
    ),
    Task(endpoints.DEPTH_ESTIMATION_BY_MODEL, "a depth estimation model"),
    *(
        _family(path, "an OCR model", name, "default", extra="local-ocr")
        for name, path in endpoints.OCR_ENDPOINTS.items()
    ),
    _family(endpoints.GAZE_DETECTION, "a gaze detection model", "gaze", "L2CS-Net"),
    _family(endpoints.CLIP_EMBED_IMAGE, "a CLIP model", "clip", "ViT-B-16"),
    _family(
        endpoints.PERCEPTION_ENCODER_EMBED_IMAGE,
        "a perception encoder",
        "perception_encoder",
        "PE-Core-L14-336",
    ),
    _family(endpoints.SAM2_SEGMENT, "a SAM 2 model", "sam2", "hiera_tiny"),
    Task(endpoints.SAM3_CONCEPT_SEGMENT, "a SAM 3 model", default_model="sam3/sam3_final"),
    Task(endpoints.SAM3_VISUAL_SEGMENT, "a SAM 3 model", default_model="sam3/sam3_final"),
    Task(endpoints.SAM3_EMBED_IMAGE, "a SAM 3 model", default_model="sam3/sam3_final"),
    Task(endpoints.SAM3_3D, "a SAM 3 3D model", default_model="sam3-3d-objects"),
    _family(endpoints.YOLO_WORLD, "a YOLO-World model", "yolo_world", "l"),
)

NOT_SERVED = {
    endpoints.CLIP_EMBED_TEXT: "CLIP model for texts",
    endpoints.CLIP_COMPARE: "CLIP model for texts",
    endpoints.PERCEPTION_ENCODER_EMBED_TEXT: "perception encoder for texts",
    endpoints.ACTION_RECOGNITION: "action recognition model",
    endpoints.PIPELINE_START: "inference pipelines",
    endpoints.PIPELINE_LIST: "inference pipelines",
    endpoints.PIPELINE_STATUS: "inference pipelines",
    endpoints.PIPELINE_PAUSE: "inference pipelines",
    endpoints.PIPELINE_RESUME: "inference pipelines",
    endpoints.PIPELINE_TERMINATE: "inference pipelines",
    endpoints.PIPELINE_CONSUME: "inference pipelines",
}
"""Endpoints that take something else than images and a model, and what they would need."""
