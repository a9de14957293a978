"""ByteTrack: which boxes of a frame are those of the frames before.

After Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box" (2021). Boxes
that are sure are matched first, the unsure ones then to what is left of the tracks: those are seldom
wrong where a track is expected. Where it is expected says a Kalman filter of constant velocity. Own
code, since supervision no longer has it, and the package that it moved to brings another OpenCV.
Knows nothing of pictures or steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_UNSURE = 0.1
"""Least confidence of a box that is looked at."""

_SURE_ENOUGH_TO_BEGIN = 0.1
"""By how much a box has to be surer than the threshold, to begin a track."""

_FARTHEST_UNSURE = 0.5
_FARTHEST_NEW = 0.7
_SAME = 0.15
"""Distances (1 - IoU): most for an unsure box, most for a track of one frame, least of two tracks."""

_FILTERED_MUST_OVERLAP = 0.5
"""IoU of a box with a track's filtered one, else it is not told as that track."""

_POSITION, _VELOCITY = 1 / 20, 1 / 160
"""Uncertainty, as part of a box's height."""

_MOTION = np.eye(8) + np.eye(8, k=4)
_SEEN = np.eye(4, 8)


@dataclass(eq=False)
class Track:
    """One object over the frames.

    Attributes:
        mean, covariance: of the filter: centre, aspect, height and their velocities.
        id: from 1; None until it was seen often enough.
        row: of its box in the frame at hand.
        seen_at: number of the last frame with it.
    """

    mean: Floats
    covariance: Floats
    began_at: int
    seen_at: int
    row: int
    seen_in_a_row: int = 1
    confirmed: bool = False
    lost: bool = False
    id: Optional[int] = None

    @property
    def box(self) -> Floats:
        x, y, aspect, height = self.mean[:4]
        width = aspect * height
        return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])

    def predict(self) -> None:
        if self.lost:
            self.mean[7] = 0  # what is not seen does not go on growing
        deviation = _deviations(self.mean[3], _POSITION, 1e-2, _VELOCITY, 1e-5)
        self.mean = _MOTION @ self.mean
        self.covariance = _MOTION @ self.covariance @ _MOTION.T + np.diag(deviation**2)

    def correct(self, measured: Floats) -> None:
        deviation = _deviations(self.mean[3], _POSITION, 1e-1)
        expected = _SEEN @ self.covariance @ _SEEN.T + np.diag(deviation**2)
        gain = np.linalg.solve(expected, _SEEN @ self.covariance).T
        self.mean = self.mean + gain @ (measured - self.mean[:4])
        self.covariance = self.covariance - gain @ expected @ gain.T


def _deviations(height: float, *pairs: float) -> Floats:
    """Deviations of centre, aspect and height, from pairs of (part of the height, of the aspect)."""
    height = max(height, 1e-3)
    sets = zip(pairs[::2], pairs[1::2], strict=True)
    return np.concatenate([[p * height, p * height, aspect, p * height] for p, aspect in sets])


@dataclass
class ByteTracker:
    """The tracks of one video.

    Args:
        activation: confidence above which a box is sure.
        buffer: frames, at 30 a second, for which a lost track is remembered.
        matching: largest distance (1 - IoU x confidence) at which a sure box is a track's.
        consecutive: frames in a row after which a track gets its id.
        fps: of the video.
    """

    activation: float = 0.25
    buffer: int = 30
    matching: float = 0.8
    consecutive: int = 1
    fps: float = 30.0
    _frame: int = 0
    _given: int = 0
    _tracks: list[Track] = field(default_factory=list)

    def update(self, xyxy: Floats, confidence: Floats) -> dict[int, int]:
        """Take in the boxes of the next frame, (N, 4).

        Returns:
            Ids of the tracks, by the row of their box.
        """
        self._frame += 1
        sure = np.flatnonzero(confidence > self.activation)
        unsure = np.flatnonzero((confidence > _UNSURE) & (confidence < self.activation))
        known = [t for t in self._tracks if t.confirmed and not t.lost]
        known += [t for t in self._tracks if t.lost]
        fresh = [t for t in self._tracks if not t.confirmed and not t.lost]
        for track in known:
            track.predict()
        left, sure = self._match(known, xyxy, confidence, sure, self.matching)
        left, _ = self._match([t for t in left if not t.lost], xyxy, None, unsure, _FARTHEST_UNSURE)
        for track in left:
            track.lost = True
        gone, sure = self._match(fresh, xyxy, confidence, sure, _FARTHEST_NEW)
        self._tracks = [t for t in self._tracks if t not in gone]
        self._begin(xyxy, [int(row) for row in sure if self._may_begin(confidence[row])])
        self._forget()
        return self._told(xyxy)

    def _match(
        self,
        tracks: list[Track],
        xyxy: Floats,
        confidence: Optional[Floats],
        rows: npt.NDArray[np.int64],
        farthest: float,
    ) -> tuple[list[Track], npt.NDArray[np.int64]]:
        """Give boxes to tracks; returns the tracks and the rows that are left."""
        alike = overlaps(_boxes_of(tracks), xyxy[rows])
        distance = 1 - (alike if confidence is None else alike * confidence[rows])
        pairs = assigned(distance, farthest)
        for index, place in pairs:
            self._see(tracks[index], xyxy[rows[place]], int(rows[place]))
        seen, taken = {index for index, _ in pairs}, [place for _, place in pairs]
        return [t for i, t in enumerate(tracks) if i not in seen], np.delete(rows, taken)

    def _see(self, track: Track, box: Floats, row: int) -> None:
        track.correct(_measured(box))
        track.seen_in_a_row = 1 if track.lost else track.seen_in_a_row + 1
        track.lost, track.seen_at, track.row = False, self._frame, row
        if track.seen_in_a_row >= max(self.consecutive, 2):
            self._confirm(track)

    def _may_begin(self, confidence: float) -> bool:
        return bool(confidence >= self.activation + _SURE_ENOUGH_TO_BEGIN)

    def _begin(self, xyxy: Floats, rows: list[int]) -> None:
        for row in rows:
            measured = _measured(xyxy[row])
            deviation = _deviations(measured[3], 2 * _POSITION, 1e-2, 10 * _VELOCITY, 1e-5)
            mean = np.concatenate([measured, np.zeros(4)])
            track = Track(mean, np.diag(deviation**2), self._frame, self._frame, row)
            if self._frame == 1 and self.consecutive <= 1:
                self._confirm(track)
            self._tracks.append(track)

    def _confirm(self, track: Track) -> None:
        track.confirmed = True
        if track.id is None:
            self._given += 1
            track.id = self._given

    def _forget(self) -> None:
        """Leave out tracks that are lost for too long, and the younger of two that are one."""
        longest = int(self.fps / 30 * self.buffer) + 1
        self._tracks = [t for t in self._tracks if not t.lost or self._frame - t.seen_at <= longest]
        seen = [t for t in self._tracks if not t.lost]
        lost = [t for t in self._tracks if t.lost]
        double: list[Track] = []
        for i, j in zip(
            *np.nonzero(1 - overlaps(_boxes_of(seen), _boxes_of(lost)) < _SAME), strict=True
        ):
            ages = [t.seen_at - t.began_at for t in (seen[i], lost[j])]
            double.append(lost[j] if ages[0] > ages[1] else seen[i])
        self._tracks = [t for t in self._tracks if t not in double]

    def _told(self, xyxy: Floats) -> dict[int, int]:
        """Ids by row: each track's is told of the box that the filtered one lies on."""
        seen = [t for t in self._tracks if not t.lost and t.confirmed and t.id is not None]
        distance = 1 - overlaps(xyxy, _boxes_of(seen))
        pairs = assigned(distance, 1 - _FILTERED_MUST_OVERLAP)
        return {row: seen[index].id or 0 for row, index in pairs}


def _boxes_of(tracks: list[Track]) -> Floats:
    return np.array([track.box for track in tracks], np.float64).reshape(-1, 4)


def overlaps(first: Floats, second: Floats) -> Floats:
    """IoU of each box with each, (N, M)."""
    corner = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(corner - np.maximum(first[:, None, :2], second[None, :, :2]), 0, None)
    common = sides[..., 0] * sides[..., 1]
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    whole = areas[0][:, None] + areas[1][None] - common
    return np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)


def assigned(distance: Floats, farthest: float) -> list[tuple[int, int]]:
    """Pairs of rows and columns with the least distance in all, none beyond `farthest`."""
    from scipy.optimize import linear_sum_assignment

    within = np.where(distance > farthest, farthest + 1e-4, distance)
    rows, columns = linear_sum_assignment(within)
    return [
        (int(r), int(c)) for r, c in zip(rows, columns, strict=True) if distance[r, c] <= farthest
    ]


def _measured(box: Floats) -> Any:
    """Centre, aspect (width by height) and height."""
    width, height = box[2:] - box[:2]
    return np.array([box[0] + width / 2, box[1] + height / 2, width / max(height, 1e-9), height])
