"""Oriented boxes: float32 of shape (N, 5): x and y of the centre, width, height, angle in radians.

Two of them are compared as YOLO's exporter compares them: each is taken for a normal distribution
of its extent, and the overlap is what the two have in common. That is smooth, and quick for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TINY = 1e-7


def corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The four corners in order, (N, 4, 2)."""
    x, y, width, height, angle = boxes.T
    along = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (width / 2)[:, None]
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=-1) * (height / 2)[:, None]
    centre = np.stack([x, y], axis=-1)
    ways = (along + across, along - across, -along - across, across - along)
    return np.asarray(np.stack([centre + way for way in ways], axis=1), dtype=np.float32)


def bounds(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, top, right, bottom of each, (N, 4)."""
    points = corners(boxes)
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def overlap(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of one box with each of the others, 0..1: one less the Hellinger distance."""
    a1, b1, c1 = _covariance(box[None])
    a2, b2, c2 = _covariance(others)
    a, b, c = a1 + a2, b1 + b2, c1 + c2
    determinant = a * b - c**2
    dx, dy = box[0] - others[:, 0], box[1] - others[:, 1]
    apart = (a * dy**2 + b * dx**2 - 2 * c * dx * dy) / (4 * (determinant + _TINY))
    spread = np.sqrt(np.clip((a1 * b1 - c1**2) * (a2 * b2 - c2**2), 0, None))
    unlike = np.log(determinant / (4 * spread + _TINY) + _TINY) / 2
    distance = np.clip(apart + unlike, _TINY, 100)
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance) + _TINY), dtype=np.float32)


def _covariance(boxes: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Variance in x, in y, and what they share: of an even spread over each box."""
    wide, high = boxes[:, 2].astype(float) ** 2 / 12, boxes[:, 3].astype(float) ** 2 / 12
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    return (
        wide * cos**2 + high * sin**2,
        wide * sin**2 + high * cos**2,
        (wide - high) * cos * sin,
    )
