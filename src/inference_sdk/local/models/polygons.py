"""Outlines of masks, as polygons.

A network gives each pixel the probability that it belongs to the object. The outline runs
where it passes one half, between pixel centres, which is finer than the pixels themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.5

# Walking along the edges between pixels, the inside on the right: a step from a corner (x, y) in
# one of four directions, right, down, left, up; and of the four pixels around the corner, the
# one ahead on the left and the one ahead on the right.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_AHEAD_LEFT = ((0, -1), (0, 0), (-1, 0), (-1, -1))
_AHEAD_RIGHT = ((0, 0), (-1, 0), (-1, -1), (0, -1))


def largest_outline(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """The outline that encloses most, without its holes.

    Args:
        shares: probabilities of shape (H, W).

    Returns:
        Points (N, 2) as x, y in pixels of `shares`, where pixel (0, 0) covers 0..1; (0, 2) when
        no pixel is above one half.
    """
    outlines = [_cross_half(shares, corners) for corners in _walks(shares > THRESHOLD)]
    return max(outlines, key=enclosed_area, default=np.empty((0, 2), np.float32))


def enclosed_area(outline: NDArray[np.float32]) -> float:
    """Area by the shoelace formula; holes, walked the other way round, are negative."""
    x, y = outline[:, 0], outline[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def bounds(outline: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, top, right, bottom."""
    return np.concatenate([outline.min(axis=0), outline.max(axis=0)])


def points(outline: NDArray[np.float32]) -> list[dict[str, Any]]:
    """The outline as an answer spells it."""
    return [{"x": x, "y": y} for x, y in outline.tolist()]


def _walks(mask: NDArray[np.bool_]) -> list[list[tuple[int, int, int]]]:
    """Every closed way along the border of the mask, as (x, y, direction) of each step."""
    inside = np.pad(mask, 1)
    # Each way has a step to the right, above a pixel that is in and below one that is out.
    ys, xs = np.nonzero(inside[1:] & ~inside[:-1])
    starts = dict.fromkeys(zip(xs.tolist(), (ys + 1).tolist(), strict=True))
    rows: list[list[bool]] = inside.tolist()
    walks = []
    while starts:
        walk = _walk(rows, next(iter(starts)))
        for x, y, direction in walk:
            if direction == 0:
                del starts[x, y]
        walks.append(walk)
    return walks


def _walk(inside: list[list[bool]], start: tuple[int, int]) -> list[tuple[int, int, int]]:
    x, y, direction = *start, 0
    walk: list[tuple[int, int, int]] = []
    while not walk or (x, y, direction) != walk[0]:
        walk.append((x, y, direction))
        step_x, step_y = _STEPS[direction]
        x, y = x + step_x, y + step_y
        right_x, right_y = _AHEAD_RIGHT[direction]
        left_x, left_y = _AHEAD_LEFT[direction]
        if not inside[y + right_y][x + right_x]:
            direction = (direction + 1) % 4
        elif inside[y + left_y][x + left_x]:
            direction = (direction - 1) % 4
    return walk


def _cross_half(
    shares: NDArray[np.float32], walk: list[tuple[int, int, int]]
) -> NDArray[np.float32]:
    """Where the probability passes one half, between the two pixels beside each step."""
    padded = np.pad(shares, 1, mode="edge")
    # Beyond the border the mirror image of the value, so that the outline ends at the border.
    border = np.ones(padded.shape, bool)
    border[1:-1, 1:-1] = False
    padded[border] = 1 - padded[border]
    steps = np.array(walk)
    corners, directions = steps[:, :2], steps[:, 2]
    within = corners + np.array(_AHEAD_RIGHT)[directions]
    beyond = corners + np.array(_AHEAD_LEFT)[directions]
    high, low = padded[within[:, 1], within[:, 0]], padded[beyond[:, 1], beyond[:, 0]]
    way = ((high - THRESHOLD) / (high - low))[:, None]
    # From a pixel's index to its centre is half a pixel; the padding shifts by one.
    return np.asarray(within + way * (beyond - within) - 0.5, dtype=np.float32)
