"""What is drawn over several frames: the paths of tracks, the heat of places."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Optional

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.anchors import anchor_points
from inference_sdk.local.workflows.block import Flag, Number, Whole, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import (
    ColouredDrawing,
    DetectionsDrawing,
    Position,
    position_of,
)
from inference_sdk.local.workflows.images import Pixels


class TraceVisualization(ColouredDrawing):
    """The path of each track."""

    TYPES = ("roboflow_core/trace_visualization@v1",)

    position: Position = "CENTER"
    trace_length: Whole = 30
    thickness: Whole = 1

    def annotator(self) -> Any:
        import supervision as sv

        return self.kept(
            self.image.video_identifier,
            lambda: sv.TraceAnnotator(
                **self.colours(),
                position=position_of(self.position),
                trace_length=self.trace_length,
                thickness=self.thickness,
            ),
        )

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        if len(found) and found.tracker_id is None:
            raise ValueError("trace_visualization needs detections with a tracker_id: track them.")
        return super().draw_detections(scene, found)


class HeatmapVisualization(DetectionsDrawing):
    """The heat of the places where detections were; of tracks that stand still only once."""

    TYPES = ("roboflow_core/heatmap_visualization@v1", "HeatmapVisualization")

    metadata: Annotated[Optional[dict[str, Any]], refers(k.VIDEO_METADATA)] = None
    position: Annotated[
        Literal[
            "CENTER",
            "CENTER_LEFT",
            "CENTER_RIGHT",
            "TOP_CENTER",
            "TOP_LEFT",
            "TOP_RIGHT",
            "BOTTOM_CENTER",
            "BOTTOM_LEFT",
            "BOTTOM_RIGHT",
        ],
        takes(k.STRING),
    ] = "BOTTOM_CENTER"
    opacity: Number = 0.2
    radius: Whole = 40
    kernel_size: Whole = 25
    top_hue: Whole = 0
    low_hue: Whole = 125
    ignore_stationary: Flag = True
    motion_threshold: Whole = 25

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        annotator, places = self.kept(
            self.image.video_identifier, lambda: (self._annotator(), dict[Any, Any]())
        )
        moving = self._moving(found, places) if self.ignore_stationary else found
        return np.asarray(annotator.annotate(scene, moving.to_supervision()))

    def _annotator(self) -> Any:
        import supervision as sv

        return sv.HeatMapAnnotator(
            position=position_of(self.position),
            opacity=self.opacity,
            radius=self.radius,
            kernel_size=self.kernel_size,
            top_hue=self.top_hue,
            low_hue=self.low_hue,
        )

    def _moving(self, found: Detections, places: dict[Any, Any]) -> Detections:
        """Without tracks that are less than `motion_threshold` pixels from where they last were."""
        tracks = found.tracker_id
        if tracks is None:
            return found
        points = anchor_points(found, self.position)
        keep = []
        for track, point in zip(tracks, points, strict=True):
            last = places.get(track)
            moved = last is None or float(np.hypot(*(point - last))) > self.motion_threshold
            keep.append(moved)
            if moved:
                places[track] = point
        return found.keep(np.asarray(keep, bool))
