"""The models that come with the package; `catalogue` says which ids they answer to.

See `assets/PROVENANCE.md` for where they come from and the layout of their tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import boxes, catalogue, classification, polygons
from inference_sdk.local.models.classes import COCO_CLASSES, COCO_KEYPOINTS
from inference_sdk.local.models.found import Found, Names, answer, spell_mask
from inference_sdk.local.models.masks import Cutting
from inference_sdk.local.models.network import Network
from inference_sdk.local.models.preparation import BYTES, Placement, Preparation, resize_smooth

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters

PERSON = ("person",)


def _letterboxed(side: int) -> Preparation:
    # In a black frame these are surer of what they see than in a grey one.
    return Preparation(side, side, "letterbox", BYTES, channels_last=True, frame=0)


class CenterNet:
    """The network of the detector, which also tells how sure it is that a class is there at all."""

    SIDE = 512

    def __init__(self) -> None:
        self._prepare = _letterboxed(self.SIDE)
        self._network = Network.shared("coco-centernet-mobilenetv3.onnx")

    def detect(self, image: NDArray[np.uint8]) -> tuple[Found, Placement]:
        """All candidates."""
        tensor, placement = self._prepare(image)
        rows = self._network.run_one(tensor, "tower_0/detections")
        return Found(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp)), placement

    def presence(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """For each class, how sure it is that one is somewhere in the picture, 0..1."""
        tensor, _ = self._prepare(image)
        heat = self._network.run_one(tensor, "tower_0/keypoints")
        return np.asarray(heat.max(axis=(0, 1)), dtype=np.float32)


class Detector:
    """Object detection, the 80 classes of COCO."""

    def __init__(self, model_id: str) -> None:
        self.description = catalogue.DETECTOR.describe(model_id)
        self._network = CenterNet()

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        return answer(*self._network.detect(image), Names(COCO_CLASSES), parameters)


class _Classes:
    """Classification by how sure the detector is that a class is there."""

    packaged: catalogue.Packaged
    spell: Callable[..., dict[str, Any]]

    def __init__(self, model_id: str) -> None:
        self.description = self.packaged.describe(model_id)
        self._network = CenterNet()

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        size = (image.shape[1], image.shape[0])
        return self.spell(self._network.presence(image), COCO_CLASSES, size, parameters)


class Classifier(_Classes):
    """The class that is surest, of the 80 of COCO."""

    packaged = catalogue.CLASSES
    spell = staticmethod(classification.single_label)


class Labeller(_Classes):
    """Every class that is there, of the 80 of COCO."""

    packaged = catalogue.LABELS
    spell = staticmethod(classification.multi_label)


class PoseModel:
    """Keypoint detection, up to 6 persons, the 17 keypoints of COCO."""

    SIDE = 256

    def __init__(self, model_id: str) -> None:
        self.description = catalogue.POSES.describe(model_id)
        self._prepare = _letterboxed(self.SIDE)
        self._network = Network.shared("coco-movenet-multipose.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        tensor, placement = self._prepare(image)
        rows = self._network.run_one(tensor, "output_0")
        # All is in shares of the input: 17 times y, x, confidence; then ymin, xmin, ymax, xmax.
        points = rows[:, :51].reshape(-1, 17, 3)[..., [1, 0, 2]]
        found = Found(
            boxes=rows[:, [52, 51, 54, 53]] * np.float32(self.SIDE),
            scores=rows[:, 55],
            class_ids=np.zeros(len(rows), np.intp),
            keypoints=points * np.array([self.SIDE, self.SIDE, 1], np.float32),
        )
        return answer(found, placement, Names(PERSON, COCO_KEYPOINTS), parameters)


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
        self._detector = CenterNet()
        self._network = Network.shared("person-selfie-segmentation.onnx")

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        found, placement = self._detector.detect(image)
        persons = np.flatnonzero(found.class_ids == 0)
        in_picture = placement.boxes(found.boxes[persons])
        persons = persons[(in_picture[:, 2:] > in_picture[:, :2]).all(axis=1)]
        in_picture, scores = placement.boxes(found.boxes[persons]), found.scores[persons]
        chosen = boxes.select(in_picture, scores, found.class_ids[persons], PERSON, parameters)
        spelled = (self._spell(image, in_picture[i], scores[i], parameters) for i in chosen)
        return boxes.answer(image, [prediction for prediction in spelled if prediction])

    def _spell(
        self,
        image: NDArray[np.uint8],
        box: NDArray[np.float32],
        score: float,
        parameters: InferenceParameters,
    ) -> dict[str, Any] | None:
        """The prediction about the person in a box; None when no pixel of it is one."""
        height, width = image.shape[:2]
        itself = Placement((1, 1), (0, 0), width, height)
        cutting = self._cutting(image, box)
        outline = cutting.outline(itself)
        if not len(outline):
            return None
        prediction = boxes.prediction(polygons.bounds(outline), score, 0, "person")
        return spell_mask(cutting, prediction, itself, parameters)

    def _cutting(self, image: NDArray[np.uint8], box: NDArray[np.float32]) -> Cutting:
        """The mask of the person in the box, a cell of it in pixels of the image."""
        height, width = image.shape[:2]
        margin = (box[2:] - box[:2]) * self.MARGIN
        window = boxes.clip(np.concatenate([box[:2] - margin, box[2:] + margin]), height, width)
        left, top = (int(edge) for edge in window[:2])
        right, bottom = (int(np.ceil(edge)) for edge in window[2:])
        crop = resize_smooth(image[top:bottom, left:right], self.SIDE, self.SIDE)[..., ::-1]
        shares = self._network.run_one(crop / np.float32(255), "activation_10:0")[..., 0]
        corner = np.array([left, top], np.float32)
        step = np.array([right - left, bottom - top], np.float32) / np.float32(self.SIDE)
        return Cutting(_within(shares, (box.reshape(2, 2) - corner) / step), corner, step)


def _within(shares: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mask without what lies outside of the box, ((left, top), (right, bottom)) in its cells."""
    (left, top), (right, bottom) = np.floor(box[0]).astype(int), np.ceil(box[1]).astype(int)
    inside = np.zeros_like(shares)
    inside[top:bottom, left:right] = shares[top:bottom, left:right]
    return inside
