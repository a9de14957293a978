"""How many tracked objects cross a line."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Optional

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Image, Kinds, Outputs, refers, takes
from inference_sdk.local.workflows.detections import Detections

Points = Annotated[list[Any], takes(k.LIST)]


class _Line(Block):
    detections: Boxes
    line_segment: Points

    def crossing(self, video: str, anchor: Optional[str]) -> Any:
        """The line of a video, and which detections cross it just now, in and out."""
        tracked = self.detections
        if len(tracked) and tracked.tracker_id is None:
            raise ValueError("line_counter needs detections with a tracker_id: track them first.")
        line = self.kept(video, lambda: _line(self.line_segment, anchor))
        if not len(tracked):
            nobody = np.zeros(0, bool)
            return line, nobody, nobody
        return line, *line.trigger(tracked.to_supervision())


def _line(points: list[Any], anchor: Optional[str]) -> Any:
    import supervision as sv

    if len(points) != 2 or any(len(point) != 2 for point in points):
        raise ValueError(f"line_segment must be two points [[x, y], [x, y]], not {points!r:.100}.")
    start, end = (sv.Point(*point) for point in points)
    anchors: Any = {} if anchor is None else {"triggering_anchors": [sv.Position(anchor)]}
    return sv.LineZone(start, end, **anchors)


class LineCounterV2(_Line):
    """Tracked objects that cross a line, both ways, since the start of the video."""

    TYPES = ("roboflow_core/line_counter@v2",)
    OUTPUTS = {
        "count_in": (k.INTEGER,),
        "count_out": (k.INTEGER,),
        "detections_in": k.BOXES,
        "detections_out": k.BOXES,
    }

    image: Image
    triggering_anchor: Annotated[Optional[str], takes(k.STRING)] = None

    def run(self) -> Outputs:
        line, inwards, outwards = self.crossing(self.image.video_identifier, self.triggering_anchor)
        found: Detections = self.detections
        return {
            "count_in": line.in_count,
            "count_out": line.out_count,
            "detections_in": found.keep(inwards),
            "detections_out": found.keep(outwards),
        }


class LineCounterV1(_Line):
    """As version 2, with the metadata of the video in place of its picture, and counts alone."""

    TYPES = ("roboflow_core/line_counter@v1",)
    OUTPUTS: ClassVar[dict[str, Kinds]] = {"count_in": (k.INTEGER,), "count_out": (k.INTEGER,)}

    metadata: Annotated[dict[str, Any], refers(k.VIDEO_METADATA)]
    triggering_anchor: Annotated[str, takes(k.STRING)] = "CENTER"

    def run(self) -> Outputs:
        line, _, _ = self.crossing(
            str(self.metadata.get("video_identifier")), self.triggering_anchor
        )
        return {"count_in": line.in_count, "count_out": line.out_count}
