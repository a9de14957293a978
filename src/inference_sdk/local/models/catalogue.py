"""The models that come with the package: what each is, and which public ids it stands in for.

A public id such as `coco/3` means a network that is not here; a small one of ours answers in its
place and says so, unless the store is strict. Under its own id each is what it says it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from inference_sdk.http.endpoints import OCR_ENDPOINTS

if TYPE_CHECKING:
    from inference_sdk.local.models.base import ModelFactory


@dataclass(frozen=True)
class Packaged:
    """One model of the package."""

    model_id: str
    """Its own id."""
    example: str
    """A public id that it stands in for, else its own."""
    public_ids: str
    """All of them, as a pattern, aliases resolved; empty when there are none."""
    task_type: str
    title: str
    side: int | None
    """Of its square input; None when it takes pictures of any size."""
    maker: str
    """Module and class that make it."""
    needs: str | None = None
    """A package that an extra installs; without it there is no such model."""

    @property
    def is_here(self) -> bool:
        return self.needs is None or find_spec(self.needs) is not None

    @property
    def stands_in(self) -> bool:
        return bool(self.public_ids)

    def describe(self, asked_id: str) -> dict[str, Any]:
        """Its description under the id that it was asked by."""
        return {
            "model_id": asked_id,
            "task_type": self.task_type,
            "batch_size": 1,
            "input_height": self.side,
            "input_width": self.side,
            "answered_by": f"{self.model_id}: {self.title}",
            "answering_model_id": self.model_id,
        }

    def factory(self) -> ModelFactory:
        """Makes it; loads what it needs."""
        maker: ModelFactory = resolve_name(f"inference_sdk.local.models.{self.maker}")
        return maker


DETECTOR = Packaged(
    "coco-centernet-mobilenetv3/1",
    "coco/3",
    r"coco/\d+",
    "object-detection",
    "CenterNet on MobileNetV3, 80 classes of COCO",
    512,
    "packaged:Detector",
)
POSES = Packaged(
    "coco-movenet-multipose/1",
    "coco-pose-detection/1",
    r"coco-pose-detection/\d+",
    "keypoint-detection",
    "MoveNet MultiPose Lightning, up to 6 persons",
    256,
    "packaged:PoseModel",
)
PERSONS = Packaged(
    "person-selfie-segmentation/1",
    "coco-dataset-vdnr1/2",
    r"coco-dataset-vdnr1/\d+",
    "instance-segmentation",
    "CenterNet on MobileNetV3 for persons, MediaPipe Selfie Segmentation for their masks",
    512,
    "packaged:PersonSegmenter",
)

CLASSES = Packaged(
    "coco-centernet-classes/1",
    "classifiers/1",
    r"classifiers/\d+",
    "classification",
    "what CenterNet on MobileNetV3 is surest of, 80 classes of COCO",
    512,
    "packaged:Classifier",
)
LABELS = Packaged(
    "coco-centernet-labels/1",
    "coco-centernet-labels/1",
    "",
    "classification",  # clients know both kinds as one task
    "all that CenterNet on MobileNetV3 sees, 80 classes of COCO",
    512,
    "packaged:Labeller",
)
TEXT = Packaged(
    "rapidocr-pp-ocr/1",
    "doctr/default",
    rf"({'|'.join(OCR_ENDPOINTS)})/.+",
    "ocr",
    "RapidOCR with PP-OCR models",
    None,
    "ocr:TextReader",
    needs="rapidocr",
)

EVERY = (DETECTOR, POSES, PERSONS, CLASSES, LABELS, TEXT)


def packaged_models() -> list[Packaged]:
    """Those that are here."""
    return [model for model in EVERY if model.is_here]


def packaged_model(model_id: str, *, strict: bool = False) -> Packaged | None:
    """The one that answers to an id, aliases resolved; only to its own id when `strict`."""
    for model in packaged_models():
        if model_id == model.model_id:
            return model
        if not strict and re.fullmatch(model.public_ids, model_id):
            return model
    return None
