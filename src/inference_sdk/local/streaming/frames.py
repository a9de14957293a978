"""From a video frame to what is sent for it: the workflow's picture and its data message.

All of it blocks and runs in a worker thread, one frame at a time. A step that fails costs its frame
only: the message says why, and the picture goes on as it came. Knows nothing of connections.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional

import av
import numpy as np

from inference_sdk.local.streaming.messages import Message, encode_message, output_message
from inference_sdk.local.streaming.sources import SourceFrame
from inference_sdk.local.workflows.errors import WorkflowError
from inference_sdk.local.workflows.images import Pixels, WorkflowImage
from inference_sdk.local.workflows.wire import to_wire

JPEG_QUALITY = 85
"""Of pictures on the data channel: a third of the bytes of 95, and no difference to see."""

FPS_WINDOW = 30
"""Frames over which the measured rate is taken."""

RunWorkflow = Callable[[WorkflowImage], dict[str, Any]]


class FrameImage(WorkflowImage):
    """A video frame as a workflow's input: converted to what a step asks for, when it asks."""

    def __init__(self, frame: av.VideoFrame, metadata: Mapping[str, Any]) -> None:
        super().__init__(metadata=metadata)
        self.frame = frame

    @property
    def width(self) -> int:
        return int(self.frame.width)

    @property
    def height(self) -> int:
        return int(self.frame.height)

    @cached_property
    def bgr(self) -> Pixels:
        return np.asarray(self.frame.to_ndarray(format="bgr24"), np.uint8)

    @cached_property
    def gray(self) -> Pixels:
        """Straight from the frame's luma, without colour in between."""
        return np.asarray(self.frame.to_ndarray(format="gray"), np.uint8)


@dataclass(frozen=True)
class ProcessedFrame:
    """What is to be sent for one frame.

    `is_taken` is False for a frame that failed, which a client may never acknowledge.
    """

    number: int
    frame: Optional[av.VideoFrame]
    messages: Sequence[Message]
    is_taken: bool


class FrameProcessor:
    """Runs the workflow on frames, one at a time.

    Args:
        run: the workflow, from a picture to its outputs.
        picture_output: name of the output whose picture goes onto the video track; None for the
            first output that is a picture.
        data_outputs: names of the outputs that go into the data message.
        with_picture: whether there is a video track at all.
        declared_fps: frames a second as the client declared them, which wins over the source.
        from_file: whether it is a video file: its time is counted in frames, however fast they are
            worked off.
    """

    def __init__(
        self,
        run: RunWorkflow,
        *,
        picture_output: Optional[str],
        data_outputs: Sequence[str],
        with_picture: bool,
        declared_fps: Optional[float] = None,
        from_file: bool = False,
    ) -> None:
        self._run = run
        self._from_file = from_file
        self._picture_output = picture_output
        self._data_outputs = data_outputs
        self._with_picture = with_picture
        self._declared_fps = declared_fps
        self._arrivals: deque[float] = deque(maxlen=FPS_WINDOW)
        self._first_pts: Optional[int] = None

    def process(self, source: SourceFrame) -> ProcessedFrame:
        """Run the workflow on one frame; blocks, and never raises for what a step does."""
        frame = source.picture
        frame.pts, frame.time_base = self._pts(source.pts), source.time_base
        metadata = self._metadata(source)
        data: Optional[dict[str, Any]] = None
        errors: list[str] = []
        try:
            outputs = self._run(FrameImage(frame, self._video_metadata(source, metadata)))
            frame = self._frame(outputs, frame)
            if self._data_outputs:
                data = {n: to_wire(outputs[n], JPEG_QUALITY) for n in self._data_outputs}
        except WorkflowError as error:
            errors.append(str(error))
        except Exception as error:  # noqa: BLE001 - what a step of anyone's gives out may be anything
            errors.append(f"The outputs cannot be sent: {error}")
        return ProcessedFrame(
            number=source.number,
            frame=frame if self._with_picture else None,
            messages=encode_message(output_message(data, metadata, errors), source.number),
            is_taken=not errors,
        )

    def _frame(self, outputs: Mapping[str, Any], frame: av.VideoFrame) -> av.VideoFrame:
        """The picture for the video track, at the time of `frame`."""
        if not self._with_picture:
            return frame
        if self._picture_output is not None:
            return _video_frame(self._picture_of(outputs[self._picture_output]), frame)
        pictures = (value for value in outputs.values() if isinstance(value, WorkflowImage))
        first = next(pictures, None)
        return frame if first is None else _video_frame(first, frame)

    def _picture_of(self, value: Any) -> WorkflowImage:
        if isinstance(value, WorkflowImage):
            return value
        raise WorkflowError(
            f"Output '{self._picture_output}' is {type(value).__name__}, not one picture; "
            "name an output with a picture in stream_output."
        )

    def _pts(self, pts: int) -> int:
        """Time of the frame; from 0 on when there is a track, as receivers of a track count it."""
        if not self._with_picture:
            return pts
        if self._first_pts is None:
            self._first_pts = pts
        return pts - self._first_pts

    def _metadata(self, source: SourceFrame) -> dict[str, Any]:
        self._arrivals.append(source.received_at.timestamp())
        span = self._arrivals[-1] - self._arrivals[0]
        return {
            "frame_id": source.number,
            "received_at": source.received_at.isoformat(),
            "pts": source.picture.pts,
            "time_base": float(source.time_base),
            "declared_fps": self._declared_fps or source.declared_fps,
            "measured_fps": (len(self._arrivals) - 1) / span if span > 0 else None,
        }

    def _video_metadata(self, source: SourceFrame, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """What steps know of a frame: each stream is a video of its own."""
        return {
            "video_identifier": "stream",
            "frame_number": source.number,
            "frame_timestamp": source.received_at.isoformat(),
            "fps": metadata["declared_fps"] or metadata["measured_fps"],
            "measured_fps": metadata["measured_fps"],
            "comes_from_video_file": self._from_file,
            "total_frames": None,
        }


def _video_frame(picture: WorkflowImage, source: av.VideoFrame) -> av.VideoFrame:
    """`picture` as a frame at the time of `source`."""
    if isinstance(picture, FrameImage):
        return picture.frame
    pixels = np.ascontiguousarray(picture.pixels)
    frame = av.VideoFrame.from_ndarray(pixels, format="gray" if pixels.ndim == 2 else "bgr24")
    frame.pts, frame.time_base = source.pts, source.time_base
    return frame
