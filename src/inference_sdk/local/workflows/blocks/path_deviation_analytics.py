"""How far tracks stray from a path."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.anchors import anchor_points
from inference_sdk.local.workflows.block import WORKFLOW_IMAGE, Block, Boxes, Outputs, refers, takes
from inference_sdk.local.workflows.drawing import Position
from inference_sdk.local.workflows.images import WorkflowImage

MAX_POINTS = 1024
"""Of a track that are compared: the last ones."""


class _PathDeviation(Block):
    """What both versions have."""

    OUTPUTS = {"path_deviation_detections": k.BOXES}

    detections: Boxes
    triggering_anchor: Position = "CENTER"
    reference_path: Annotated[list[Any], takes(k.LIST)]

    def video(self) -> str:
        """The video that a track is of."""
        raise NotImplementedError

    def run(self) -> Outputs:
        found = self.detections
        if not len(found):
            return {"path_deviation_detections": found}
        if found.tracker_id is None:
            raise ValueError("path_deviation_analytics needs a tracker_id: track them first.")
        reference = np.asarray(self.reference_path, float).reshape(-1, 2)
        if not len(reference):
            raise ValueError("reference_path has no points.")
        paths = self.kept(self.video(), dict[Any, Any])
        points = anchor_points(found, self.triggering_anchor)
        deviations = []
        for tracker_id, point in zip(found.tracker_id, points, strict=True):
            path = paths.setdefault(tracker_id, deque(maxlen=MAX_POINTS))
            path.append(point)
            deviations.append(_frechet(np.array(path), reference))
        return {"path_deviation_detections": found.with_columns(path_deviation=deviations)}


class PathDeviationAnalyticsV2(_PathDeviation):
    """The Fréchet distance of each track's path from a path, in pixels."""

    TYPES: ClassVar[Sequence[str]] = ("roboflow_core/path_deviation_analytics@v2",)

    image: Annotated[WorkflowImage, refers(k.IMAGE, to=WORKFLOW_IMAGE)]

    def video(self) -> str:
        return self.image.video_identifier


class PathDeviationAnalytics(_PathDeviation):
    """The Fréchet distance of each track's path from a path, in pixels."""

    TYPES = ("roboflow_core/path_deviation_analytics@v1",)

    metadata: Annotated[dict[str, Any], refers(k.VIDEO_METADATA)]

    def video(self) -> str:
        return str(self.metadata.get("video_identifier"))


def _frechet(path: Any, reference: Any) -> float:
    """The shortest leash between two walkers, one on each path, who never turn back."""
    apart = np.hypot(*(path[:, None] - reference[None]).transpose(2, 0, 1))
    leash = np.empty_like(apart)
    leash[0] = np.maximum.accumulate(apart[0])
    leash[:, 0] = np.maximum.accumulate(apart[:, 0])
    for row in range(1, len(path)):
        for column in range(1, len(reference)):
            before = min(leash[row - 1, column], leash[row, column - 1], leash[row - 1, column - 1])
            leash[row, column] = max(apart[row, column], before)
    return float(leash[-1, -1])
