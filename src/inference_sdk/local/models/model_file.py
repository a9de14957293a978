"""What a user says of an ONNX file: where it is, and what it does not say of itself.

Nothing heavy is loaded for it: a command line is read with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference_sdk.local.faults import UnusableModelError

TASKS = {
    "detect": "object-detection",
    "object-detection": "object-detection",
    "segment": "instance-segmentation",
    "instance-segmentation": "instance-segmentation",
    "pose": "keypoint-detection",
    "keypoint-detection": "keypoint-detection",
    "classify": "classification",
    "classification": "classification",
    "multi-label": "multi-label-classification",
    "multi-label-classification": "multi-label-classification",
    "obb": "obb",
    "semantic": "semantic-segmentation",
    "semantic-segmentation": "semantic-segmentation",
}
"""What a user or an exporter calls a task, and what it is called here."""

FITS = ("letterbox", "stretch", "crop")
"""How a picture is brought to the size of the network's input."""

RANGES = ("0-1", "0-255", "-1-1", "imagenet")
"""Of the input's values."""


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file to serve, and what it does not say of itself.

    Args:
        path: of the file.
        task: detect, segment, pose, classify, multi-label, obb or semantic.
        labels: names of the classes in order, or a text file with one on each line.
        keypoints: names of the keypoints in order.
        size: height and width of the input, where the network takes any.
        fit: "letterbox", "stretch" or "crop".
        values: range of the input: "0-1", "0-255", "-1-1" or "imagenet" (its mean and deviation).

    Example:
        >>> LocalServer(models={"helmets/1": ModelFile("best.onnx", labels=["helmet", "head"])})
    """

    path: str | Path
    task: str | None = None
    labels: str | Path | tuple[str, ...] | list[str] | None = None
    keypoints: tuple[str, ...] | list[str] | None = None
    size: tuple[int, int] | None = None
    fit: str | None = None
    values: str | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("task", self.task, TASKS),
            ("fit", self.fit, FITS),
            ("values", self.values, RANGES),
        ):
            if value is not None and value not in known:
                raise UnusableModelError(
                    f"{name} '{value}' of {Path(self.path).name}: it may be {', '.join(known)}."
                )
