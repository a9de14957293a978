"""The three models that come with the package, and the public ids they answer to.

See `assets/PROVENANCE.md` for where they come from and the layout of their tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import boxes, polygons
from inference_sdk.local.models.classes import COCO_CLASSES, COCO_KEYPOINTS
from inference_sdk.local.models.network import Network, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters

PERSON = ("person",)


class Detector:
    """Object detection, the 80 classes of COCO."""

    SIDE = 512

    def __init__(self, model_id: str) -> None:
        self.description = _describe(
            model_id,
            "object-detection",
            self.SIDE,
            "CenterNet on MobileNetV3, COCO (coco-centernet-mobilenetv3.onnx)",
        )
        self._network = Network.shared("coco-centernet-mobilenetv3.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        found, scores, class_ids = self.detect(image)
        chosen = boxes.select(found, scores, class_ids, COCO_CLASSES, parameters)
        return boxes.answer(
            image,
            [
                boxes.prediction(found[i], scores[i], class_ids[i], COCO_CLASSES[class_ids[i]])
                for i in chosen
            ],
        )

    def detect(
        self, image: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """All candidates with an area: boxes, scores and classes."""
        rows = self._network.run(stretch(image, self.SIDE), "tower_0/detections")
        height, width = image.shape[:2]
        scale = np.array([width, height, width, height], np.float32) / np.float32(self.SIDE)
        found = boxes.clip(rows[:, :4] * scale, height, width)
        has_area = (found[:, 2:] > found[:, :2]).all(axis=1)
        found, rows = found[has_area], rows[has_area]
        return found, rows[:, 4], rows[:, 5].astype(np.intp)


class PoseModel:
    """Keypoint detection, up to 6 persons, the 17 keypoints of COCO."""

    SIDE = 256

    def __init__(self, model_id: str) -> None:
        self.description = _describe(
            model_id,
            "keypoint-detection",
            self.SIDE,
            "MoveNet MultiPose Lightning, COCO (coco-movenet-multipose.onnx)",
        )
        self._network = Network.shared("coco-movenet-multipose.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        rows = self._network.run(stretch(image, self.SIDE), "output_0")
        height, width = image.shape[:2]
        # The box comes as ymin, xmin, ymax, xmax, each a share of the image.
        scale = np.array([width, height, width, height], np.float32)
        found = boxes.clip(rows[:, [52, 51, 54, 53]] * scale, height, width)
        scores = rows[:, 55]
        class_ids = np.zeros(len(rows), dtype=np.intp)
        chosen = boxes.select(found, scores, class_ids, PERSON, parameters)
        points = rows[:, :51].reshape(-1, 17, 3) * np.array([height, width, 1], np.float32)
        return boxes.answer(
            image,
            [
                boxes.prediction(found[i], scores[i], 0, "person")
                | {"keypoints": _keypoints(points[i], parameters.keypoint_confidence)}
                for i in chosen
            ],
        )


class PersonSegmenter:
    """Instance segmentation of persons: the detector finds them, a mask is made of each.

    The mask network alone marks whatever is in the foreground, and does not part two persons;
    asked about the surroundings of one box it is sharper and surer.
    """

    SIDE = 256
    MARGIN = 0.1
    """Of the box, added on each side: the network wants to see where a person ends."""

    def __init__(self, model_id: str) -> None:
        self.description = _describe(
            model_id,
            "instance-segmentation",
            Detector.SIDE,
            "CenterNet on MobileNetV3 for persons, MediaPipe Selfie Segmentation for their "
            "masks (coco-centernet-mobilenetv3.onnx, person-selfie-segmentation.onnx)",
        )
        self._detector = Detector(model_id)
        self._network = Network.shared("person-selfie-segmentation.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        found, scores, class_ids = self._detector.detect(image)
        persons = class_ids == 0
        found, scores, class_ids = found[persons], scores[persons], class_ids[persons]
        chosen = boxes.select(found, scores, class_ids, PERSON, parameters)
        outlines = ((i, self._outline(image, found[i])) for i in chosen)
        return boxes.answer(
            image,
            [
                boxes.prediction(polygons.bounds(outline), scores[i], 0, "person")
                | {"points": polygons.points(outline), "mask_format": "polygon"}
                for i, outline in outlines
                if len(outline)
            ],
        )

    def _outline(self, image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outline of the person in the box, (N, 2) in pixels of the image; may be empty."""
        height, width = image.shape[:2]
        margin = (box[2:] - box[:2]) * self.MARGIN
        window = boxes.clip(np.concatenate([box[:2] - margin, box[2:] + margin]), height, width)
        left, top = (int(edge) for edge in window[:2])
        right, bottom = (int(np.ceil(edge)) for edge in window[2:])
        crop = stretch(image[top:bottom, left:right], self.SIDE)
        shares = self._network.run(crop / np.float32(255), "activation_10:0")[..., 0]
        scale = np.array([right - left, bottom - top], np.float32) / self.SIDE
        outline = polygons.largest_outline(shares) * scale + np.array([left, top], np.float32)
        return np.clip(outline, box[:2], box[2:])


def _describe(model_id: str, task_type: str, side: int, answered_by: str) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "task_type": task_type,
        "batch_size": 1,
        "input_height": side,
        "input_width": side,
        "answered_by": answered_by,
    }


def _keypoints(points: NDArray[np.float32], least: float) -> list[dict[str, Any]]:
    return [
        {
            "x": float(x),
            "y": float(y),
            "confidence": float(confidence),
            "class_id": index,
            "class": name,
        }
        for index, (name, (y, x, confidence)) in enumerate(zip(COCO_KEYPOINTS, points, strict=True))
        if confidence >= least
    ]
