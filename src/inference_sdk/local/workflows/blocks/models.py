"""Models on pictures: whichever answers to the id in the server's store.

One base for every task: the store's answers have the forms that workflows give out. Newer versions
differ in how confidence is chosen, and in a further output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

from pydantic import Field

from inference_sdk.local.models import InferenceParameters
from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Fraction, Image, Outputs, takes
from inference_sdk.local.workflows.detections import KEYPOINTS, MASKS, OBJECTS, Prediction
from inference_sdk.local.workflows.images import WorkflowImage, new_id
from inference_sdk.local.workflows.wire import detections_from_wire

Count = Annotated[int, Field(gt=0), takes(k.INTEGER)]
ModelId = Annotated[str, takes(k.MODEL_ID)]
Mode = Annotated[Literal["best", "default", "custom"], takes(k.STRING)]

SENT = (
    "confidence",
    "keypoint_confidence",
    "class_filter",
    "class_agnostic_nms",
    "iou_threshold",
    "max_detections",
    "max_candidates",
    "mask_decode_mode",
    "tradeoff_factor",
)
"""Fields that go to the model as they are."""

DEFAULT_CONFIDENCE = 0.4


class Model(Block):
    """Asks a model of the server's store."""

    WAITS = True
    PREDICTION: ClassVar[str]

    images: Image
    model_id: ModelId
    disable_active_learning: Flag = True
    active_learning_target_dataset: Annotated[Optional[str], takes(k.PROJECT)] = None

    @classmethod
    def run_batch(cls, elements: Sequence[Any]) -> list[Outputs]:
        """The whole batch to a model that takes batches, else picture by picture."""
        first = elements[0]
        model = first.services.models.get(first.model_id)
        parameters = InferenceParameters.from_wire(first.parameters())
        pictures = [element.images.bgr for element in elements]
        if hasattr(model, "infer_batch"):
            answers = model.infer_batch(pictures, parameters)
        else:
            answers = [model.infer(picture, parameters) for picture in pictures]
        return [
            element.outputs_of(answer) for element, answer in zip(elements, answers, strict=True)
        ]

    def parameters(self) -> dict[str, Any]:
        """What the model is told, as in a request for inference."""
        values = {name: getattr(self, name, None) for name in SENT}
        mode = getattr(self, "confidence_mode", None)
        if mode is not None:
            custom = getattr(self, "custom_confidence", None)
            values["confidence"] = custom if mode == "custom" else DEFAULT_CONFIDENCE
        return {name: value for name, value in values.items() if value is not None}

    def outputs_of(self, answer: Mapping[str, Any]) -> Outputs:
        """What a step gives out for one answer."""
        return {
            "predictions": _predictions(answer, self.images, self.PREDICTION),
            "inference_id": answer.get("inference_id") or new_id(),
            "model_id": self.model_id,
        }


def _predictions(answer: Mapping[str, Any], image: WorkflowImage, prediction: str) -> Prediction:
    if prediction != "classification":
        return detections_from_wire(answer, image.name, image=image, prediction_type=prediction)
    root = image.lineage.root
    return {
        **answer,
        "prediction_type": prediction,
        "parent_id": image.name,
        "root_parent_id": root.name if root else image.name,
    }


class Confidence(Model):
    """The first two versions: a level of confidence."""

    confidence: Fraction = DEFAULT_CONFIDENCE


class ConfidenceMode(Model):
    """Newer versions: the model's own level, or one of one's own."""

    confidence_mode: Mode = "best"
    custom_confidence: Annotated[
        Optional[Annotated[float, Field(ge=0, le=1)]], takes(k.FRACTION)
    ] = DEFAULT_CONFIDENCE


class Boxes(Model):
    """What detectors of all kinds have."""

    class_filter: Annotated[Optional[list[str]], takes(k.LIST)] = None
    iou_threshold: Fraction = 0.3
    max_detections: Count = 300
    class_agnostic_nms: Annotated[Union[bool, None], takes(k.BOOLEAN)] = False
    max_candidates: Count = 3000


class Objects(Boxes):
    """Boxes of a detector."""

    PREDICTION = OBJECTS
    OUTPUTS = {
        "inference_id": (k.INFERENCE_ID,),
        "predictions": (k.DETECTIONS,),
        "model_id": (k.MODEL_ID,),
    }


class Segments(Boxes):
    """Boxes with masks."""

    PREDICTION = MASKS
    OUTPUTS = {
        "inference_id": (k.INFERENCE_ID,),
        "predictions": (k.SEGMENTS,),
        "model_id": (k.MODEL_ID,),
    }

    mask_decode_mode: Annotated[Literal["accurate", "tradeoff", "fast"], takes(k.STRING)] = (
        "accurate"
    )
    tradeoff_factor: Fraction = 0.0
    enforce_dense_masks_in_inference_models: Flag = True


class Keypoints(Boxes):
    """Boxes with keypoints."""

    PREDICTION = KEYPOINTS
    OUTPUTS = {
        "inference_id": (k.INFERENCE_ID,),
        "predictions": (k.KEYPOINTS,),
        "model_id": (k.MODEL_ID,),
    }

    keypoint_confidence: Fraction = 0.0


class Classes(Model):
    """Classes of the picture."""

    PREDICTION = "classification"
    OUTPUTS = {
        "predictions": (k.CLASSIFICATION,),
        "inference_id": (k.INFERENCE_ID,),
        "model_id": (k.MODEL_ID,),
    }


def _first(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs of a first version: without the model's id, and the inference's is just a text."""
    kept = {name: kinds for name, kinds in outputs.items() if name != "model_id"}
    return {**kept, "inference_id": (k.STRING,)}


def _named(task: str, version: int, *old: str) -> tuple[str, ...]:
    return (f"roboflow_core/roboflow_{task}_model@v{version}", *old)


class ObjectDetectionV1(Confidence, Objects):
    """Boxes of a detector."""

    TYPES = _named("object_detection", 1, "RoboflowObjectDetectionModel", "ObjectDetectionModel")
    OUTPUTS = _first(Objects.OUTPUTS)


class ObjectDetectionV2(Confidence, Objects):
    """Boxes of a detector."""

    TYPES = _named("object_detection", 2)


class ObjectDetectionV3(ConfidenceMode, Objects):
    """Boxes of a detector."""

    TYPES = _named("object_detection", 3)


class InstanceSegmentationV1(Confidence, Segments):
    """Boxes with masks."""

    TYPES = _named(
        "instance_segmentation", 1, "RoboflowInstanceSegmentationModel", "InstanceSegmentationModel"
    )
    OUTPUTS = _first(Segments.OUTPUTS)


class InstanceSegmentationV2(Confidence, Segments):
    """Boxes with masks."""

    TYPES = _named("instance_segmentation", 2)


class InstanceSegmentationV3(ConfidenceMode, Segments):
    """Boxes with masks."""

    TYPES = _named("instance_segmentation", 3)


class InstanceSegmentationV4(ConfidenceMode, Segments):
    """Boxes with masks."""

    TYPES = _named("instance_segmentation", 4)
    OUTPUTS = {**Segments.OUTPUTS, "predictions": (k.RLE_SEGMENTS, k.SEGMENTS)}


class KeypointDetectionV1(Confidence, Keypoints):
    """Boxes with keypoints."""

    TYPES = _named(
        "keypoint_detection", 1, "RoboflowKeypointDetectionModel", "KeypointsDetectionModel"
    )
    OUTPUTS = _first(Keypoints.OUTPUTS)


class KeypointDetectionV2(Confidence, Keypoints):
    """Boxes with keypoints."""

    TYPES = _named("keypoint_detection", 2)


class KeypointDetectionV3(ConfidenceMode, Keypoints):
    """Boxes with keypoints."""

    TYPES = _named("keypoint_detection", 3)

    confidence_mode: Annotated[Literal["default", "custom"], takes(k.STRING)] = "default"


class ClassificationV1(Confidence, Classes):
    """One class for the picture."""

    TYPES = _named("classification", 1, "RoboflowClassificationModel", "ClassificationModel")
    OUTPUTS = _first(Classes.OUTPUTS)


class ClassificationV2(Confidence, Classes):
    """One class for the picture."""

    TYPES = _named("classification", 2)


class ClassificationV3(ConfidenceMode, Classes):
    """One class for the picture."""

    TYPES = _named("classification", 3)

    confidence_mode: Annotated[Literal["default", "custom"], takes(k.STRING)] = "default"


class MultiLabelClassificationV1(Confidence, Classes):
    """Every class that holds."""

    TYPES = _named(
        "multi_label_classification",
        1,
        "RoboflowMultiLabelClassificationModel",
        "MultiLabelClassificationModel",
    )
    OUTPUTS = _first(Classes.OUTPUTS)


class MultiLabelClassificationV2(Confidence, Classes):
    """Every class that holds."""

    TYPES = _named("multi_label_classification", 2)


class MultiLabelClassificationV3(ConfidenceMode, Classes):
    """Every class that holds."""

    TYPES = _named("multi_label_classification", 3)
