"""Frames of whatever has several: the pictures of a folder, those of a video, stream or camera.

A frame that does not decode is an error in its place, and what follows it may be had all the same;
whoever wants none takes what comes through `require_frames`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Union

from inference_sdk.http.errors import EncodingError, HTTPClientError, InvalidInputFormatError
from inference_sdk.http.operations.loading import describe
from inference_sdk.http.utils.file_reading import shown
from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    import numpy as np

    Frame = np.ndarray[Any, np.dtype[np.uint8]]
    Frames = Generator[tuple[Union[str, int], Union[Frame, HTTPClientError]], None, None]

logger = get_logger(__name__)


def frames_of(source: Any, extensions: Iterable[str] | None) -> Frames:
    """(path or number from 0, frame or error), in order; see `load_stream_inference_input`.

    Raises:
        InvalidInputFormatError: neither a folder nor a video that can be opened, or a video that
            breaks off, or has not one frame.
    """
    if not isinstance(source, (str, os.PathLike, int)):
        raise InvalidInputFormatError(
            f"{describe(source)} is neither a folder nor a video: those are named by their path or "
            "URL. For a picture call infer()."
        )
    if not isinstance(source, int) and os.path.isdir(source):
        yield from frames_of_folder(os.fspath(source), extensions)
    else:
        from inference_sdk.http.utils.video import read_frames

        yield from enumerate(read_frames(source))


def frames_of_folder(directory: str, extensions: Iterable[str] | None) -> Frames:
    """(path, image or error) of the pictures in a folder; see `load_directory_inference_input`."""
    endings = None if extensions is None else {e.lower().lstrip(".") for e in extensions}
    came = False
    for path in _image_paths(directory, endings):
        found = _read_colours(path)
        if endings is not None or not isinstance(found, EncodingError):
            came = True
            yield path, found
    if not came:
        sought = "any" if endings is None else ", ".join(sorted(endings))
        logger.warning(
            "The folder %s holds no picture (endings looked for: %s).", shown(directory), sought
        )


def require_frames(frames: Frames) -> Iterator[tuple[str | int, Frame]]:
    """The frames; the first error among them is raised."""
    for reference, frame in frames:
        if isinstance(frame, HTTPClientError):
            raise frame
        yield reference, frame


def _read_colours(path: str) -> Frame | EncodingError:
    from inference_sdk.http.utils.encoding import bytes_to_pillow_image
    from inference_sdk.http.utils.image_codec import pillow_to_bgr

    try:
        with open(path, "rb") as file:
            return pillow_to_bgr(bytes_to_pillow_image(file.read()))
    except (OSError, EncodingError) as error:
        failure = EncodingError(f"{shown(path)}: {error}")
        failure.__cause__ = error
        return failure


def _image_paths(directory: str, endings: set[str] | None) -> list[str]:
    with os.scandir(directory) as entries:
        # Hidden ones are of the system, such as macOS's "._a.jpg", which is no picture; batches, and
        # so the command line, pass them over too.
        files = [e.path for e in entries if e.is_file() and not e.name.startswith(".")]
    return sorted(
        path
        for path in files
        if endings is None or os.path.splitext(path)[1].lower().lstrip(".") in endings
    )
