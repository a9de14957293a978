"""Boxes of tracks, held steady."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Any, Optional

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Image, Outputs, takes
from inference_sdk.local.workflows.detections import Detections

MAX_TRACKS = 10_000
"""Of one video at a time."""


@dataclass
class _Track:
    """What is known of one track."""

    last: Detections
    steps: deque[Any] = field(default_factory=deque)
    missing: int = 0


class StabilizeDetections(Block):
    """Smooths boxes of tracks, and fills gaps of as many frames as the window has."""

    TYPES = ("roboflow_core/stabilize_detections@v1",)
    OUTPUTS = {"tracked_detections": k.BOXES}

    image: Image
    detections: Boxes
    smoothing_window_size: Annotated[Optional[int], takes(k.INTEGER)] = 3
    bbox_smoothing_coefficient: Annotated[Optional[float], takes(k.FRACTION)] = 0.2

    def run(self) -> Outputs:
        found = self.detections
        if len(found) and found.tracker_id is None:
            raise ValueError("stabilize_detections needs a tracker_id: track the detections first.")
        tracks = self.kept(self.image.video_identifier, dict[Any, _Track])
        ids = [] if found.tracker_id is None else list(found.tracker_id)
        steady = [
            self._seen(tracks, tracker_id, found.row(row)) for row, tracker_id in enumerate(ids)
        ]
        steady += self._filled(tracks, set(ids))
        return {"tracked_detections": Detections.joined(steady) if steady else found}

    @property
    def _window(self) -> int:
        return max(self.smoothing_window_size or 3, 1)

    def _mixed(self, now: Any, before: Any) -> Any:
        share = 0.2 if self.bbox_smoothing_coefficient is None else self.bbox_smoothing_coefficient
        return share * now + (1 - share) * before

    def _seen(self, tracks: dict[Any, _Track], tracker_id: Any, now: Detections) -> Detections:
        """A box between where it is and where it was."""
        track = tracks.get(tracker_id)
        if track is None:
            if len(tracks) >= MAX_TRACKS:
                raise ValueError(f"A video has at most {MAX_TRACKS} tracks at a time.")
            tracks[tracker_id] = _Track(now, deque(maxlen=self._window))
            return now
        before = track.last.xyxy
        track.steps.append((now.xyxy - before) / (track.missing + 1))
        track.last, track.missing = now, 0
        return now.with_boxes(self._mixed(now.xyxy, before))

    def _filled(self, tracks: dict[Any, _Track], seen: set[Any]) -> list[Detections]:
        """Boxes of tracks that are missing for a while, where they would be by now."""
        filled = []
        for tracker_id in [each for each in tracks if each not in seen]:
            track = tracks[tracker_id]
            track.missing += 1
            if not track.steps or track.missing > self._window:
                del tracks[tracker_id]
                continue
            step = np.mean(list(track.steps), axis=0)
            expected = track.last.xyxy + step * track.missing
            filled.append(track.last.with_boxes(self._mixed(expected, track.last.xyxy)))
        return filled
