"""How fast tracked objects move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    STEP_OUTPUT,
    Block,
    Image,
    Number,
    Outputs,
    refers,
)
from inference_sdk.local.workflows.detections import Detections

Vector = npt.NDArray[np.float64]


@dataclass
class _Motion:
    """What was last known of a track; metres and seconds."""

    place: Vector
    seconds: float
    smoothed: Vector


class Velocity(Block):
    """Velocity of each tracked object (x, y, in units a second) and its speed, also smoothed."""

    TYPES = ("roboflow_core/velocity@v1",)
    OUTPUTS = {"velocity_detections": k.ALL_BOXES}

    image: Image
    detections: Annotated[Detections, refers(*k.ALL_BOXES, to=STEP_OUTPUT)]
    smoothing_alpha: Number = 0.5
    pixels_per_meter: Number = 1.0

    def run(self) -> Outputs:
        found = self.detections
        if len(found) and found.tracker_id is None:
            raise ValueError("velocity needs detections with a tracker_id: track them first.")
        if not 0 <= self.smoothing_alpha <= 1:
            raise ValueError(f"smoothing_alpha is {self.smoothing_alpha}, not 0 to 1.")
        if not self.pixels_per_meter > 0:
            raise ValueError(f"pixels_per_meter is {self.pixels_per_meter}, not above 0.")
        tracks: dict[Any, _Motion] = self.kept(self.image.video_identifier, dict)
        places = found.centers / self.pixels_per_meter
        ids: Any = found.tracker_id if len(found) else []
        moved = [self._motion(tracks, *each) for each in zip(ids, places, strict=True)]
        return {
            "velocity_detections": found.with_columns(
                velocity=[velocity.tolist() for velocity, _ in moved],
                speed=[float(np.linalg.norm(velocity)) for velocity, _ in moved],
                smoothed_velocity=[smoothed.tolist() for _, smoothed in moved],
                smoothed_speed=[float(np.linalg.norm(smoothed)) for _, smoothed in moved],
            )
        }

    def _motion(
        self, tracks: dict[Any, _Motion], track: Any, place: Vector
    ) -> tuple[Vector, Vector]:
        """Velocity of a track in this frame, and smoothed over the frames."""
        now, last = self.image.seconds, tracks.get(track)
        velocity: Vector = np.zeros(2)
        smoothed = velocity
        if last is not None:
            if now > last.seconds:
                velocity = (place - last.place) / (now - last.seconds)
            alpha = self.smoothing_alpha
            smoothed = alpha * velocity + (1 - alpha) * last.smoothed
        tracks[track] = _Motion(place, now, smoothed)
        return velocity, smoothed
