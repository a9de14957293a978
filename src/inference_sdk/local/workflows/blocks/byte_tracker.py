"""Which detections of a frame are those of the frames before."""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Any, ClassVar, Optional

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    AnyBoxes,
    Block,
    Boxes,
    Image,
    Kinds,
    Outputs,
    refers,
    takes,
)
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import DEFAULT_FPS
from inference_sdk.local.workflows.tracking import ByteTracker

OptionalNumber = Annotated[Optional[float], takes(k.FRACTION)]
OptionalWhole = Annotated[Optional[int], takes(k.INTEGER)]


class _Video:
    """What is kept of one video: its tracks, and those that were told before."""

    def __init__(self, tracker: ByteTracker) -> None:
        self.tracker = tracker
        self.told: OrderedDict[int, None] = OrderedDict()

    def first_sight(self, track: int, most: int) -> bool:
        """Whether a track is new; the oldest are forgotten beyond `most`."""
        new = track not in self.told
        self.told[track] = None
        self.told.move_to_end(track)
        while len(self.told) > most:
            self.told.popitem(last=False)
        return new


class _Tracker(Block):
    track_activation_threshold: OptionalNumber = 0.25
    lost_track_buffer: OptionalWhole = 30
    minimum_matching_threshold: OptionalNumber = 0.8
    minimum_consecutive_frames: OptionalWhole = 1

    def tracked(self, found: Detections, video: _Video) -> Detections:
        """Those that belong to a track, with its id as `tracker_id`."""
        told = video.tracker.update(found.xyxy, found.confidence)
        rows = sorted(told)
        return found.keep(rows).with_columns(tracker_id=[told[row] for row in rows])

    def video(self, identifier: str, fps: Any) -> _Video:
        return self.kept(identifier, lambda: _Video(self._tracker(float(fps or DEFAULT_FPS))))

    def _tracker(self, fps: float) -> ByteTracker:
        given = {
            "activation": self.track_activation_threshold,
            "buffer": self.lost_track_buffer,
            "matching": self.minimum_matching_threshold,
            "consecutive": self.minimum_consecutive_frames,
        }
        settings: Any = {name: value for name, value in given.items() if value is not None}
        return ByteTracker(fps=fps, **settings)


class ByteTrackerV3(_Tracker):
    """An id for each object over the frames of a video (ByteTrack); new objects apart."""

    TYPES = ("roboflow_core/byte_tracker@v3",)
    OUTPUTS = {
        "tracked_detections": (k.DETECTIONS,),
        "new_instances": (k.DETECTIONS,),
        "already_seen_instances": (k.DETECTIONS,),
    }

    image: Image
    detections: AnyBoxes
    instances_cache_size: int = 16384

    def run(self) -> Outputs:
        video = self.video(self.image.video_identifier, self.image.metadata.get("fps"))
        tracked = self.tracked(self.detections, video)
        ids: Any = tracked.tracker_id
        new = np.array([video.first_sight(each, self.instances_cache_size) for each in ids], bool)
        return {
            "tracked_detections": tracked,
            "new_instances": tracked.keep(new),
            "already_seen_instances": tracked.keep(~new),
        }


class ByteTrackerV2(_Tracker):
    """An id for each object over the frames of a video (ByteTrack)."""

    TYPES = ("roboflow_core/byte_tracker@v2",)
    OUTPUTS = {"tracked_detections": (k.DETECTIONS,)}

    image: Image
    detections: Boxes

    def run(self) -> Outputs:
        video = self.video(self.image.video_identifier, self.image.metadata.get("fps"))
        return {"tracked_detections": self.tracked(self.detections, video)}


class ByteTrackerV1(_Tracker):
    """As version 2, with the metadata of the video in place of its picture."""

    TYPES = ("roboflow_core/byte_tracker@v1",)
    OUTPUTS: ClassVar[dict[str, Kinds]] = {"tracked_detections": (k.DETECTIONS,)}

    metadata: Annotated[dict[str, Any], refers(k.VIDEO_METADATA)]
    detections: Boxes

    def run(self) -> Outputs:
        video = self.video(str(self.metadata.get("video_identifier")), self.metadata.get("fps"))
        return {"tracked_detections": self.tracked(self.detections, video)}
