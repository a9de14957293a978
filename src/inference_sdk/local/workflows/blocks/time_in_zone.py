"""For how long tracked objects have been in a polygon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Boxes, Flag, Image, Outputs, refers, takes


class _Zone:
    """The polygon of a video, and when each track was first seen in it."""

    def __init__(self, polygons: list[Any], anchor: str) -> None:
        import supervision as sv

        self._zones = [
            sv.PolygonZone(np.asarray(each, np.int64), triggering_anchors=[sv.Position(anchor)])
            for each in polygons
        ]
        self.since: dict[Any, float] = {}

    def holds(self, found: Any) -> npt.NDArray[np.bool_]:
        inside = [zone.trigger(found) for zone in self._zones]
        return np.any(inside, axis=0)


def _polygons(zone: list[Any]) -> list[Any]:
    """One polygon or several."""
    depth, first = 0, zone
    while isinstance(first, (list, tuple)) and first:
        depth, first = depth + 1, first[0]
    polygons = [zone] if depth == 2 else zone
    if depth not in (2, 3) or any(len(each) < 3 for each in polygons):
        raise ValueError(f"zone must be a polygon of three points or more, not {zone!r:.100}.")
    return list(polygons)


class TimeInZone(Block):
    """For how many seconds each tracked object has been in a polygon, as `time_in_zone`."""

    TYPES: ClassVar[Sequence[str]] = (
        "roboflow_core/time_in_zone@v3",
        "roboflow_core/time_in_zone@v2",
    )
    OUTPUTS = {"timed_detections": k.BOXES}

    image: Image
    detections: Boxes
    zone: Annotated[list[Any], takes(k.LIST)]
    triggering_anchor: Annotated[str, takes(k.STRING)] = "CENTER"
    remove_out_of_zone_detections: Flag = True
    reset_out_of_zone_detections: Flag = True

    def run(self) -> Outputs:
        found = self.detections
        if len(found) and found.tracker_id is None:
            raise ValueError("time_in_zone needs detections with a tracker_id: track them first.")
        zone = self.kept(
            self.image.video_identifier,
            lambda: _Zone(_polygons(self.zone), self.triggering_anchor),
        )
        if not len(found):
            return {"timed_detections": found}
        inside = zone.holds(found.to_supervision())
        ids: Any = found.tracker_id
        times = [self._time(zone, *each) for each in zip(ids, inside, strict=True)]
        timed = found.with_columns(time_in_zone=times)
        return {
            "timed_detections": timed.keep(inside) if self.remove_out_of_zone_detections else timed
        }

    def _time(self, zone: _Zone, track: Any, inside: bool) -> float:
        now = self.image.seconds
        if inside:
            return now - zone.since.setdefault(track, now)
        # Roboflow's server goes on counting only where those outside are left out.
        if self.reset_out_of_zone_detections or not self.remove_out_of_zone_detections:
            zone.since.pop(track, None)
        return 0.0


class TimeInZoneV1(TimeInZone):
    """As the newest, with the metadata of the video beside its picture."""

    TYPES = ("roboflow_core/time_in_zone@v1",)

    metadata: Annotated[dict[str, Any], refers(k.VIDEO_METADATA)]
