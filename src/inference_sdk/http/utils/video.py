"""Frames of videos and network streams, read with PyAV (extra `video`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inference_sdk.http.errors import InvalidInputFormatError
from inference_sdk.http.operations.loading import describe
from inference_sdk.utils.media import open_video, packets

if TYPE_CHECKING:
    import numpy as np

    Frame = np.ndarray[Any, np.dtype[np.uint8]]


def read_frames(uri: str) -> Iterator[Frame]:
    """Frames of a video, in order, as writable BGR uint8 arrays of shape (H, W, 3), upright.

    One frame is decoded at a time, so memory does not grow with the video.

    Raises:
        InvalidInputFormatError: nothing there, no video in it, or it breaks off in the middle.
        ImportError: PyAV is not installed; says how to.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            "Reading videos needs PyAV: pip install 'inference-sdk[video]'."
        ) from error

    number = 0
    try:
        with open_video(uri) as container:
            for packet in packets(container):
                for frame in packet.decode():
                    yield _upright(frame.to_ndarray(format="bgr24"), frame.rotation)
                    number += 1
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise InvalidInputFormatError(
            f"{describe(uri)} is neither a folder nor a video that can be read "
            f"(stopped at frame {number}): {_reason(error)}."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it has no video stream"
    return getattr(error, "strerror", None) or type(error).__name__


def _upright(frame: Frame, degrees: int) -> Frame:
    """Turn a frame as its display matrix (degrees, counter-clockwise) means it."""
    if degrees % 360 == 0:
        return frame
    import numpy as np

    return np.ascontiguousarray(np.rot90(frame, degrees // 90))
