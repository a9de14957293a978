"""Networks that say of each pixel what it belongs to.

The answer is a picture whose values are classes, one whose values are certainties, and the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from inference_sdk.http.utils.encoding import encode_base_64
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.found import Names
from inference_sdk.local.models.masks import interpolate, sigmoid
from inference_sdk.local.models.preparation import IMAGENET, Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.heads.base import Outputs
    from inference_sdk.local.models.parameters import InferenceParameters
    from inference_sdk.local.models.preparation import Placement

SEMANTIC = "semantic-segmentation"

NUMBERS_AT_ONCE = 8_000_000
"""Scores held while a large picture is gone through, some rows at a time."""


@dataclass(frozen=True)
class SemanticHead:
    """A head; see `base.Head`."""

    kind: str
    preparation: Preparation
    names: Names
    task_type: str = SEMANTIC

    def answer(
        self, outputs: Outputs, placement: Placement, _: InferenceParameters
    ) -> dict[str, Any]:
        scores = outputs[0] if outputs[0].ndim == 3 else outputs[0][None]
        classes, certainty = self._judge(scores, placement)
        size = {"width": placement.width, "height": placement.height}
        return {
            "image": size,
            "predictions": {
                "segmentation_mask": _png(classes),
                "confidence_mask": _png(certainty),
                "class_map": {str(i): name for i, name in enumerate(self.names.classes)},
                "image": size,
            },
        }

    def _judge(
        self, scores: NDArray[Any], placement: Placement
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Class and certainty (0..255) of each pixel of the picture."""
        rows, columns = _sampled(placement, self.preparation, scores.shape[1:])
        shape = (placement.height, placement.width)
        classes, certainty = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        step = max(NUMBERS_AT_ONCE // (len(scores) * placement.width), 1)
        for start in range(0, placement.height, step):
            part = slice(start, start + step)
            classes[part], certainty[part] = _best(scores, rows[part], columns)
        return classes, certainty


def _best(
    scores: NDArray[Any], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any]]:
    if scores.dtype.kind in "iu":  # classes already: nothing lies between two of them
        near = np.ix_(np.rint(rows).astype(int), np.rint(columns).astype(int))
        return scores[0][near], np.full((len(rows), len(columns)), 255)
    shares = interpolate(scores, rows, columns)
    if len(scores) == 1:
        sure = shares[0] if scores.min() >= 0 and scores.max() <= 1 else sigmoid(shares[0])
        return sure > 0.5, np.rint(np.maximum(sure, 1 - sure) * 255)
    best = shares.argmax(axis=0)
    highest = shares.max(axis=0)
    # The softmax of the highest: one over the sum of what all others are beside it.
    return best, np.rint(255 / np.exp(shares - highest).sum(axis=0))


def _sampled(
    placement: Placement, preparation: Preparation, grid: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the picture's rows and columns lie in the network's grid."""
    y = np.arange(placement.height, dtype=np.float32) + np.float32(0.5)
    x = np.arange(placement.width, dtype=np.float32) + np.float32(0.5)
    rows = (y * placement.scale[1] + placement.offset[1]) * grid[0] / preparation.height - 0.5
    columns = (x * placement.scale[0] + placement.offset[0]) * grid[1] / preparation.width - 0.5
    return np.clip(rows, 0, grid[0] - 1), np.clip(columns, 0, grid[1] - 1)


def recognise(facts: Facts) -> SemanticHead | None:
    """A head for the file, None when it does something else."""
    shape, whole = facts.shapes[0], facts.example[0].dtype.kind in "iu"
    if facts.task not in (None, SEMANTIC) or len(shape) not in (3, 4):
        return None
    if len(shape) == 3 and not whole:
        return None
    if len(shape) == 4 and shape[1] > 256:
        return None
    return SemanticHead(
        kind=f"a network, {SEMANTIC}",
        preparation=facts.preparation("stretch", facts.values_beside() or IMAGENET),
        names=Names(_labels(facts, None if whole else shape[1])),
    )


def _labels(facts: Facts, count: int | None) -> tuple[str, ...]:
    if count != 1:
        return facts.labels(count)
    named = facts.named
    # One number a pixel: it is the one thing, or it is not.
    return (
        facts.labels(2)
        if named is not None and len(named) == 2
        else ("background", *facts.labels(1))
    )


def _png(values: NDArray[np.uint8]) -> str:
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=1)
    return encode_base_64(buffer.getvalue())
