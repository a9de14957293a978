"""Masks of objects: how networks give them, and the two ways in which answers spell them.

A mask is the probability, pixel by pixel of some coarse grid, that the object is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import polygons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.preparation import Placement


@dataclass(frozen=True)
class Masks:
    """The masks of what one picture shows, none of them made before it is asked for.

    Args:
        make: from an object's index to its shares, (h, w) over the whole input of the network.
        size: width and height of that input.
        whole: the network has cut them out itself: they need no box.
    """

    make: Callable[[int], NDArray[np.float32]]
    size: tuple[int, int]
    whole: bool = False

    def cut(self, index: int, box: NDArray[np.float32]) -> Cutting:
        """The mask of an object within its box, which is in pixels of the network."""
        shares = self.make(index)
        height, width = shares.shape
        step = np.array([self.size[0] / width, self.size[1] / height], np.float32)
        low = np.clip(np.floor(box[:2] / step), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(box[2:] / step), low + 1, (width, height)).astype(int)
        if self.whole:
            low, high = np.zeros(2, int), np.array([width, height])
        return Cutting(shares[low[1] : high[1], low[0] : high[0]], low * step, step)


@dataclass(frozen=True)
class Cutting:
    """A part of a mask, and where it lies: a pixel of it is `step` of the network's pixels."""

    shares: NDArray[np.float32]
    corner: NDArray[np.float32]
    step: NDArray[np.float32]

    def outline(self, placement: Placement) -> NDArray[np.float32]:
        """The outline that encloses most, in pixels of the picture; (0, 2) when nothing is there."""
        outline = polygons.largest_outline(self.shares) * self.step + self.corner
        limits = np.array([placement.width, placement.height], np.float32)
        return np.clip(placement.points(outline), 0, limits)

    def bitmap(self, placement: Placement) -> NDArray[np.bool_]:
        """Every pixel of the picture, (H, W), whether it belongs to the object."""
        x = np.arange(placement.width, dtype=np.float32) + np.float32(0.5)
        y = np.arange(placement.height, dtype=np.float32) + np.float32(0.5)
        columns = (x * placement.scale[0] + placement.offset[0] - self.corner[0]) / self.step[0]
        rows = (y * placement.scale[1] + placement.offset[1] - self.corner[1]) / self.step[1]
        height, width = self.shares.shape
        inside_x = np.flatnonzero((columns >= 0) & (columns < width))
        inside_y = np.flatnonzero((rows >= 0) & (rows < height))
        bitmap = np.zeros((placement.height, placement.width), bool)
        if inside_x.size and inside_y.size:
            part = interpolate(self.shares, rows[inside_y] - 0.5, columns[inside_x] - 0.5)
            bitmap[np.ix_(inside_y, inside_x)] = part > polygons.THRESHOLD
        return bitmap


def from_prototypes(
    coefficients: NDArray[Any], prototypes: NDArray[Any], size: tuple[int, int]
) -> Masks:
    """Masks as YOLO gives them: each a mixture of the picture's prototypes.

    Args:
        coefficients: (N, M), a row for each object.
        prototypes: (M, h, w).
        size: width and height of the network's input.
    """

    def make(index: int) -> NDArray[np.float32]:
        mixture = np.tensordot(coefficients[index].astype(np.float32), prototypes, axes=1)
        return sigmoid(mixture)

    return Masks(make, size)


def from_logits(logits: NDArray[Any], size: tuple[int, int]) -> Masks:
    """Masks as RF-DETR gives them: (N, h, w), one for each object."""
    return Masks(lambda index: sigmoid(logits[index]), size, whole=True)


def sigmoid(values: NDArray[Any]) -> NDArray[np.float32]:
    """From any number to a share of 0..1, without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values.astype(np.float32)), dtype=np.float32)


def interpolate(
    grid: NDArray[Any], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values of a grid (…, h, w) between its points, at each of the rows and columns.

    Returns:
        Of shape (…, rows, columns). Beyond the outermost points their value holds.
    """
    along_rows = _mix(grid, rows, -2)
    return _mix(along_rows, columns, -1)


def _mix(grid: NDArray[Any], places: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    last = grid.shape[axis] - 1
    places = np.clip(places, 0, last)
    low = np.floor(places).astype(int)
    shape = [1] * grid.ndim
    shape[axis] = -1
    way = (places - low).astype(np.float32).reshape(shape)
    before = np.take(grid, low, axis)
    after = np.take(grid, np.minimum(low + 1, last), axis)
    return np.asarray(before + (after - before) * way, dtype=np.float32)


def rle(bitmap: NDArray[np.bool_]) -> dict[str, Any]:
    """A bitmap as COCO's compressed runs: `{"size": [height, width], "counts": text}`."""
    flat = np.concatenate([[False], bitmap.T.reshape(-1), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], edges, [bitmap.size]])).tolist()
    if len(counts) > 1 and counts[-1] == 0:
        counts.pop()
    return {"size": list(bitmap.shape), "counts": _compressed(counts)}


def _compressed(counts: list[int]) -> str:
    """Runs in 5 bits a character; from the fourth on, each less the one two before it."""
    text = []
    for place, count in enumerate(counts):
        rest = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text.append(chr(48 + (bits | 32 if more else bits)))
    return "".join(text)
