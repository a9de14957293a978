"""Images and frames from wherever they are: the documented loaders.

What a reference is and what is done with it is decided in `operations.loading`; the functions
here run that, blocking or awaiting; frames of folders and videos are read in `frames`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from inference_sdk.http.errors import InvalidInputFormatError
from inference_sdk.http.operations.loading import (
    LoadedImage,
    Preparation,
    describe,
    load_all,
    load_image,
    load_nested,
    uri_is_http_link,
)
from inference_sdk.http.steps import Compute, Operation, run, run_async
from inference_sdk.http.utils.frames import frames_of, frames_of_folder, require_frames

if TYPE_CHECKING:
    import numpy as np

    from inference_sdk.http.entities import ImagesReference

    Frame = np.ndarray[Any, np.dtype[np.uint8]]

__all__ = [
    "load_directory_inference_input",
    "load_image_from_string",
    "load_image_from_string_async",
    "load_image_from_url",
    "load_image_from_url_async",
    "load_nested_batches_of_inference_input",
    "load_nested_batches_of_inference_input_async",
    "load_static_inference_input",
    "load_static_inference_input_async",
    "load_stream_inference_input",
    "uri_is_http_link",
]


def load_static_inference_input(
    inference_input: ImagesReference | list[ImagesReference],
    max_height: int | None = None,
    max_width: int | None = None,
) -> list[LoadedImage]:
    """Load an image, or a (nested) list of them, as a flat list of (base64, factor) pairs.

    Args:
        inference_input: see `ImagesReference`.
        max_height, max_width: pixels; with both, a larger image is scaled down to fit, and the
            factor says by how much. It is None for an image that was not scaled.

    Raises:
        InvalidInputFormatError: an input is of no kind that can be an image.
        EncodingError: an image cannot be read, decoded or encoded.
    """
    return run(load_all(inference_input, Preparation(max_height, max_width)), None)


async def load_static_inference_input_async(
    inference_input: ImagesReference | list[ImagesReference],
    max_height: int | None = None,
    max_width: int | None = None,
) -> list[LoadedImage]:
    """The twin of `load_static_inference_input`."""
    return await run_async(load_all(inference_input, Preparation(max_height, max_width)), None)


def load_nested_batches_of_inference_input(
    inference_input: list[Any] | ImagesReference,
    max_height: int | None = None,
    max_width: int | None = None,
) -> LoadedImage | list[Any]:
    """As `load_static_inference_input`, keeping the nesting: one pair for one image.

    It is this module's loader of that name that loads each image: programs and tests replace it.
    """
    loaded: LoadedImage | list[Any] = run(
        load_nested(inference_input, Preparation(max_height, max_width), _by_name), None
    )
    return loaded


def _by_name(reference: Any, preparation: Preparation) -> Operation[LoadedImage]:
    return (yield Compute(_load_one, reference, preparation))


def _load_one(reference: Any, preparation: Preparation) -> LoadedImage:
    return load_static_inference_input(
        inference_input=reference,
        max_height=preparation.max_height,
        max_width=preparation.max_width,
    )[0]


async def load_nested_batches_of_inference_input_async(
    inference_input: list[Any] | ImagesReference,
    max_height: int | None = None,
    max_width: int | None = None,
) -> LoadedImage | list[Any]:
    """The twin of `load_nested_batches_of_inference_input`."""
    loaded: LoadedImage | list[Any] = await run_async(
        load_nested(inference_input, Preparation(max_height, max_width)), None
    )
    return loaded


def load_image_from_string(
    reference: str, max_height: int | None = None, max_width: int | None = None
) -> LoadedImage:
    """Load one image by URL, path or base64 text."""
    return run(load_image(reference, Preparation(max_height, max_width)), None)


async def load_image_from_string_async(
    reference: str, max_height: int | None = None, max_width: int | None = None
) -> LoadedImage:
    """The twin of `load_image_from_string`."""
    return await run_async(load_image(reference, Preparation(max_height, max_width)), None)


def load_image_from_url(
    url: str, max_height: int | None = None, max_width: int | None = None
) -> LoadedImage:
    """Load one image by URL, under the policy for images by URL."""
    return load_image_from_string(_require_link(url), max_height, max_width)


async def load_image_from_url_async(
    url: str, max_height: int | None = None, max_width: int | None = None
) -> LoadedImage:
    """The twin of `load_image_from_url`."""
    return await load_image_from_string_async(_require_link(url), max_height, max_width)


def _require_link(url: str) -> str:
    if not uri_is_http_link(url):
        raise InvalidInputFormatError(f"{describe(url)} is no http(s) URL.")
    return url


def load_stream_inference_input(
    input_uri: str, image_extensions: list[str] | None
) -> Generator[tuple[str | int, Frame], None, None]:
    """Frames of a folder as (path, image), of anything else as (frame number from 0, image).

    Images are BGR uint8 arrays of shape (H, W, 3), upright.

    Args:
        input_uri: a folder, the path of a video, the URL of a video or stream, or the number of a
            camera (Linux).
        image_extensions: endings of the files to take from a folder, in any case; None takes
            every file that is an image.

    Raises:
        InvalidInputFormatError: neither a folder nor a video that can be opened, a video without a
            frame, or a frame that does not decode; the message has its number.
        EncodingError: a file of the folder does not decode; the message names it.
    """
    yield from require_frames(frames_of(input_uri, image_extensions))


def load_directory_inference_input(
    directory_path: str, image_extensions: list[str] | None
) -> Generator[tuple[str | int, Frame], None, None]:
    """(path, image) of the image files in a folder, sorted by path; no hidden ones, nor sub-folders.

    A file with one of the endings has to be an image; without endings, whatever is none is
    passed over. A folder that has no image gives nothing, and a warning in the log.
    """
    yield from require_frames(frames_of_folder(directory_path, image_extensions))
