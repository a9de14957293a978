"""Opening videos and streams with PyAV: the one way in which the package does it.

PyAV refuses a file for a tag that is no UTF-8, and FFmpeg's errors differ between its versions;
both are dealt with here. av is loaded by whoever opens. Knows nothing of what a video is for.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_TAGS_OF_ANY_KIND = 19
"""The first PyAV that reads tags of any encoding, and knows no setting for it any more."""


def open_video(location: str, **options: Any) -> InputContainer:
    """`av.open`, for reading, whatever the encoding of the titles and comments in it.

    Raises:
        av.FFmpegError: it cannot be opened. Its text holds the location, and so may a password.
        OSError: the same, of the system.
    """
    import av

    if int(av.__version__.partition(".")[0]) < _TAGS_OF_ANY_KIND:
        options["metadata_errors"] = "replace"
    container: InputContainer = av.open(location, **options)
    return container


def packets(container: InputContainer) -> Iterator[Any]:
    """Packets of the first video stream, until its end.

    Raises:
        IndexError: there is no video in it.
        av.FFmpegError: it breaks off.
    """
    stream = container.streams.video[0]
    begun = False
    try:
        for packet in container.demux(stream):
            begun = True
            yield packet
    except OSError as error:
        # An MJPEG camera ends by hanging up. FFmpeg 8.1 (PyAV 19) calls that an I/O error.
        ended = begun and container.format.name == "mpjpeg" and error.errno == errno.EIO
        if not ended:
            raise


def whole_frames(container: InputContainer) -> Iterator[av.VideoFrame]:
    """Frames of the first video stream; a damaged packet costs the frames in it, not the rest.

    Raises:
        IndexError: there is no video in it.
        av.FFmpegError: it breaks off.
    """
    import av

    for packet in packets(container):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue


def has_picture(container: InputContainer) -> bool:
    """Whether it is a video: at least one frame of it decodes, be it a picture file."""
    return bool(container.streams.video) and next(whole_frames(container), None) is not None
