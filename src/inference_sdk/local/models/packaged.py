"""The three models that come with the package, and the public ids they answer to.

See `assets/PROVENANCE.md` for where they come from and the layout of their tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import boxes, catalogue, polygons
from inference_sdk.local.models.classes import COCO_CLASSES, COCO_KEYPOINTS
from inference_sdk.local.models.found import keypoints
from inference_sdk.local.models.network import Network
from inference_sdk.local.models.preparation import resize_smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters

PERSON = ("person",)


class Detector:
    """Object detection, the 80 classes of COCO."""

    SIDE = catalogue.DETECTOR.side

    def __init__(self, model_id: str) -> None:
        self.description = catalogue.DETECTOR.describe(model_id)
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
        rows = self._network.run_one(_stretched(image, self.SIDE), "tower_0/detections")
        height, width = image.shape[:2]
        scale = np.array([width, height, width, height], np.float32) / np.float32(self.SIDE)
        found = boxes.clip(rows[:, :4] * scale, height, width)
        has_area = (found[:, 2:] > found[:, :2]).all(axis=1)
        found, rows = found[has_area], rows[has_area]
        return found, rows[:, 4], rows[:, 5].astype(np.intp)


class PoseModel:
    """Keypoint detection, up to 6 persons, the 17 keypoints of COCO."""

    SIDE = catalogue.POSES.side

    def __init__(self, model_id: str) -> None:
        self.description = catalogue.POSES.describe(model_id)
        self._network = Network.shared("coco-movenet-multipose.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        rows = self._network.run_one(_stretched(image, self.SIDE), "output_0")
        height, width = image.shape[:2]
        # The box comes as ymin, xmin, ymax, xmax, each a share of the image.
        scale = np.array([width, height, width, height], np.float32)
        found = boxes.clip(rows[:, [52, 51, 54, 53]] * scale, height, width)
        scores = rows[:, 55]
        class_ids = np.zeros(len(rows), dtype=np.intp)
        chosen = boxes.select(found, scores, class_ids, PERSON, parameters)
        points = rows[:, :51].reshape(-1, 17, 3) * np.array([height, width, 1], np.float32)
        points = points[..., [1, 0, 2]]  # they come as y, x, confidence
        return boxes.answer(
            image,
            [
                boxes.prediction(found[i], scores[i], 0, "person")
                | {
                    "keypoints": keypoints(
                        points[i], COCO_KEYPOINTS, parameters.keypoint_confidence
                    )
                }
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
        self.description = catalogue.PERSONS.describe(model_id)
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
        crop = _stretched(image[top:bottom, left:right], self.SIDE)
        shares = self._network.run_one(crop / np.float32(255), "activation_10:0")[..., 0]
        scale = np.array([right - left, bottom - top], np.float32) / self.SIDE
        outline = polygons.largest_outline(shares) * scale + np.array([left, top], np.float32)
        return np.clip(outline, box[:2], box[2:])


def _stretched(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The BGR image as RGB of shape (side, side, 3), its aspect ratio given up."""
    return resize_smooth(image, side, side)[..., ::-1]
