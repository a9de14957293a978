"""Frames that the user's own program makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.webrtc.errors import SourceNotRunningError
from inference_sdk.webrtc.sources.base import StreamSource

if TYPE_CHECKING:
    import numpy as np
    from aiortc import RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig
    from inference_sdk.webrtc.tracks import FrameFeed

MANUAL_SOURCE_QUEUE_MAX_SIZE = 10
"""Frames that may wait for the encoder; then the oldest is dropped."""


class ManualSource(StreamSource):
    """Sends the frames that are given to `send`, from any thread, as soon as they are given.

    Example:
        >>> source = ManualSource()
        >>> session = client.webrtc.stream(source, workflow=workflow)
        >>> frames = session.video()   # starts the session
        >>> source.send(picture)
        >>> answer, metadata = next(frames)
    """

    def __init__(self) -> None:
        self._feed: Optional[FrameFeed] = None
        self._sent_any = False
        self._began = False

    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        from inference_sdk.webrtc.tracks import FeedTrack, FrameFeed

        self._feed = FrameFeed(MANUAL_SOURCE_QUEUE_MAX_SIZE, self.monitor)
        self._began = True
        pc.addTrack(FeedTrack(self._feed))

    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:  # noqa: ARG002
        return {"manual_mode": True}

    async def cleanup(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.end()

    def has_input(self) -> bool:
        return self._sent_any

    def send(self, frame: np.ndarray[Any, Any]) -> None:
        """Send a frame. Never waits: when 10 frames wait already, the oldest is dropped.

        Args:
            frame: uint8 of shape (H, W, 3) in BGR order; it is copied.

        Raises:
            SourceNotRunningError: the session has not started, or is closed (a `RuntimeError`).
            InvalidParameterError: an array of another kind.
        """
        feed = self._feed
        if feed is None:
            raise SourceNotRunningError(
                "ManualSource.send() needs a running session, and this one "
                + (
                    "has ended or is closed. Make a new one with client.webrtc.stream(...)."
                    if self._began
                    else "has not started: session.run(), session.wait() or session.video() do."
                )
            )
        _require_bgr(frame)
        import numpy as np
        from av import VideoFrame

        feed.put(VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24"))
        if not self._sent_any:
            self._sent_any = True
            if self.monitor is not None:
                self.monitor.active()


def _require_bgr(frame: Any) -> None:
    shape, dtype = getattr(frame, "shape", None), str(getattr(frame, "dtype", None))
    if shape is None or len(shape) != 3 or shape[2] != 3 or not all(shape) or dtype != "uint8":
        raise InvalidParameterError(
            "ManualSource.send() takes uint8 arrays of shape (H, W, 3) in BGR order; "
            f"this is {type(frame).__name__} of shape {shape} and dtype {dtype}."
        )
