"""The models that come with the package: what each is, and which public ids it stands in for.

A public id such as `coco/3` means a network that is not here; a small one of ours answers in its
place and says so, unless the store is strict. Under its own id each is what it says it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference_sdk.local.models.base import ModelFactory


@dataclass(frozen=True)
class Packaged:
    """One model of the package."""

    model_id: str
    """Its own id."""
    example: str
    """A public id that it stands in for."""
    public_ids: str
    """All of them, as a pattern, aliases resolved."""
    task_type: str
    title: str
    side: int
    """Of its square input."""
    maker: str
    """Class in `packaged`."""

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
        from inference_sdk.local.models import packaged

        maker: ModelFactory = getattr(packaged, self.maker)
        return maker


DETECTOR = Packaged(
    "coco-centernet-mobilenetv3/1",
    "coco/3",
    r"coco/\d+",
    "object-detection",
    "CenterNet on MobileNetV3, 80 classes of COCO",
    512,
    "Detector",
)
POSES = Packaged(
    "coco-movenet-multipose/1",
    "coco-pose-detection/1",
    r"coco-pose-detection/\d+",
    "keypoint-detection",
    "MoveNet MultiPose Lightning, up to 6 persons",
    256,
    "PoseModel",
)
PERSONS = Packaged(
    "person-selfie-segmentation/1",
    "coco-dataset-vdnr1/2",
    r"coco-dataset-vdnr1/\d+",
    "instance-segmentation",
    "CenterNet on MobileNetV3 for persons, MediaPipe Selfie Segmentation for their masks",
    512,
    "PersonSegmenter",
)

PACKAGED = (DETECTOR, POSES, PERSONS)


def packaged_model(model_id: str, *, strict: bool = False) -> Packaged | None:
    """The one that answers to an id, aliases resolved; only to its own id when `strict`."""
    for model in PACKAGED:
        if model_id == model.model_id:
            return model
        if not strict and re.fullmatch(model.public_ids, model_id):
            return model
    return None
