"""Frames of videos and network streams, read with PyAV (extra `video`)."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Union

from inference_sdk.http.errors import InvalidInputFormatError
from inference_sdk.http.utils.file_reading import shown
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.logging import get_logger
from inference_sdk.utils.media import open_video, packets

if TYPE_CHECKING:
    import numpy as np
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

    Frame = np.ndarray[Any, np.dtype[np.uint8]]

logger = get_logger(__name__)

SILENCE_SECONDS = 30.0
"""After that long without an answer or a frame, a stream by URL counts as lost; as with OpenCV."""

_LOST_UNSEEN = 2
"""Frames that may be announced and not be there: tools cut videos between whole pictures."""


def read_frames(
    source: str | os.PathLike[str] | int,
) -> Generator[Union[Frame, InvalidInputFormatError], None, None]:
    """Frames of a video, in order, as writable BGR uint8 arrays of shape (H, W, 3), upright.

    One frame is decoded at a time, so memory does not grow with the video. An error stands in the
    place of frames that do not decode. What is missing at the end, or damaged, is told in one
    warning.

    Args:
        source: path or URL of a video or stream, or the number of a camera (Linux).

    Raises:
        InvalidInputFormatError: nothing there, no video in it, no frame in that, or it breaks off
            (the number of the frame is in the message).
        ImportError: PyAV is not installed; says how to.
    """
    av = _require_av()
    location, number, damaged = _location(source), 0, 0
    try:
        with open_video(location, timeout=_time_limit(location)) as container:
            for frame in _decoded(container):
                if isinstance(frame, Exception):
                    yield _undecodable(location, number, frame)
                else:
                    damaged += frame.is_corrupt
                    pixels: Any = frame.to_ndarray(format="bgr24")
                    yield upright(pixels, frame.rotation)
                number += 1
            _tell_losses(location, number, damaged, container.streams.video[0])
    except (av.FFmpegError, IndexError, ValueError) as error:
        failure = _undecodable(location, number, error)
    else:
        if number:
            return
        failure = InvalidInputFormatError(
            f"{_named(location)} is a video without a frame that can be decoded. Was it written to "
            "its end?"
        )
    raise failure  # PyAV's own text holds the location, with its password: it is no cause of ours


def _require_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise ImportError(
            "Reading videos needs PyAV: pip install 'inference-sdk[video]'."
        ) from error
    return av


def _decoded(container: InputContainer) -> Iterator[Union[VideoFrame, Exception]]:
    """Frames, and the errors of packets that do not decode, but for the last packet of a video:
    there it is cut off, and has no error but an end.
    """
    held: Exception | None = None
    begun = False
    for packet in packets(container):
        for item in _frames_or_error(packet):
            if held is not None:
                yield held
            held = item if isinstance(item, Exception) else None
            if held is None:
                begun = True
                yield item
    if held is not None and not begun:
        raise held


def _frames_or_error(packet: Packet[VideoStream]) -> list[Any]:
    import av

    try:
        return list(packet.decode())
    except av.InvalidDataError as error:
        return [error]


def _location(source: Any) -> str:
    if isinstance(source, int) and not isinstance(source, bool):
        return f"/dev/video{source}"
    return os.fspath(source)


def _time_limit(location: str) -> float | None:
    return SILENCE_SECONDS if "://" in location else None


def _named(location: str) -> str:
    return shown_url(location) if "://" in location else shown(location)


def _undecodable(location: str, number: int, error: Exception) -> InvalidInputFormatError:
    name = _named(location)
    if isinstance(error, FileNotFoundError) and number == 0 and "://" not in location:
        return InvalidInputFormatError(f"There is no file, folder or camera {name}.")
    return InvalidInputFormatError(
        f"{name} is neither a folder nor a video that can be read (stopped at frame {number}): "
        f"{_reason(error)}."
    )


def _reason(error: Exception) -> str:
    import av

    if isinstance(error, IndexError):
        return "it has no video stream"
    if isinstance(error, av.ExitError):
        return f"nothing came for {SILENCE_SECONDS:g} s"
    return getattr(error, "strerror", None) or type(error).__name__


def _tell_losses(location: str, number: int, damaged: int, stream: VideoStream) -> None:
    """Warn of a video that is shorter than it says (its header may not say), or shows damage."""
    losses = []
    if stream.frames - number > _LOST_UNSEEN:
        losses.append(f"of {stream.frames} frames that it announces, it ends after {number}")
    if damaged:
        losses.append(f"damaged frames: {damaged}")
    if losses and number:
        logger.warning(
            "%s is cut off or damaged: %s.", _named(location), ", and there are ".join(losses)
        )


def upright(frame: Frame, degrees: int) -> Frame:
    """Turn a frame as its display matrix (degrees, counter-clockwise) means it."""
    if degrees % 360 == 0:
        return frame
    import numpy as np

    return np.ascontiguousarray(np.rot90(frame, degrees // 90))
