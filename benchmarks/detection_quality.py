"""How well the packaged detector sees: mAP@50 on a small labelled set.

The photographs of `examples/`, labelled by hand, and scenes of other proportions made of them:
some of the photographs, larger and smaller, on a plain ground. Beside the detector as it is, the same
network on pictures that are stretched into its square, which is what it did before.

    python benchmarks/detection_quality.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from inference_sdk.local import InferenceParameters
from inference_sdk.local.models import packaged
from inference_sdk.local.models.preparation import BYTES, Preparation

EXAMPLES = Path(__file__).parents[1] / "examples"

LABELS = {
    "astronaut": {"person": (22, 15, 362, 512)},
    "chelsea": {"cat": (0, 0, 402, 300)},
    "coffee": {"cup": (172, 18, 412, 310), "dining table": (0, 0, 600, 400), "spoon": (325, 66, 423, 327)},
}  # fmt: skip
"""Boxes in pixels: left, top, right, bottom."""

SIZES = ((640, 360), (360, 640), (800, 600), (1280, 480), (512, 512), (1920, 1080))
SCENES = 60


class Scene(NamedTuple):
    image: np.ndarray
    objects: list[tuple[str, tuple[float, ...]]]


class Hit(NamedTuple):
    confidence: float
    right: bool


def photographs() -> Iterator[Scene]:
    for name, labels in LABELS.items():
        image = np.asarray(Image.open(EXAMPLES / f"{name}.jpg").convert("RGB"))
        yield Scene(image[..., ::-1], list(labels.items()))


def scenes() -> Iterator[Scene]:
    rng = np.random.default_rng(1)
    taken = list(photographs())
    for _ in range(SCENES):
        width, height = SIZES[rng.integers(len(SIZES))]
        count = int(rng.integers(1, 3))
        ground = np.full((height, width, 3), rng.integers(60, 200, 3), np.uint8)
        objects: list[tuple[str, tuple[float, ...]]] = []
        for place in range(count):
            photograph = taken[rng.integers(len(taken))]
            room = (width // count, height)
            high, wide = photograph.image.shape[:2]
            scale = min(room[0] / wide, room[1] / high) * rng.uniform(0.6, 1)
            size = (int(wide * scale), int(high * scale))
            left = place * room[0] + int(rng.integers(0, room[0] - size[0] + 1))
            top = int(rng.integers(0, height - size[1] + 1))
            small = Image.fromarray(np.ascontiguousarray(photograph.image)).resize(size)
            ground[top : top + size[1], left : left + size[0]] = np.asarray(small)
            for name, box in photograph.objects:
                moved = np.array(box) * scale + np.array([left, top] * 2)
                objects.append((name, tuple(moved)))
        yield Scene(ground, objects)


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(wide, 0) * max(high, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (areas - shared)


def hits(model: packaged.Detector, scene: Scene, name: str) -> Iterator[Hit]:
    """Each prediction of a class, and whether it is an object that none before it was."""
    left = [box for label, box in scene.objects if label == name]
    parameters = InferenceParameters(confidence=0.05, iou_threshold=0.5, class_filter=(name,))
    for found in model.infer(scene.image, parameters)["predictions"]:
        x, y, wide, high = (found[key] for key in ("x", "y", "width", "height"))
        box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        match = max(left, key=lambda other: overlap(box, other), default=None)
        right = match is not None and overlap(box, match) >= 0.5
        if right:
            left.remove(match)
        yield Hit(found["confidence"], right)


def average_precision(found: list[Hit], total: int) -> float:
    """Area under precision over recall, each precision the best of that recall or more."""
    right = np.cumsum([hit.right for hit in sorted(found, reverse=True)])
    precision = right / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0], right])) / total
    return float((best * steps).sum())


def main() -> None:
    stretched = packaged.Detector("coco/3")
    stretched._network._prepare = Preparation(512, 512, "stretch", BYTES, channels_last=True)
    for title, kind in (("photographs", photographs), ("scenes", scenes)):
        pictures = list(kind())
        for way, model in (("letterboxed", packaged.Detector("coco/3")), ("stretched", stretched)):
            scores = {}
            for name in ("person", "cat", "cup", "dining table", "spoon"):
                total = sum(label == name for scene in pictures for label, _ in scene.objects)
                found = [hit for scene in pictures for hit in hits(model, scene, name)]
                scores[name] = average_precision(found, total)
            each = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
            mean = np.mean(list(scores.values()))
            print(f"{title:12} {way:12} mAP@50 {mean:.2f}  ({each})")


if __name__ == "__main__":
    main()
