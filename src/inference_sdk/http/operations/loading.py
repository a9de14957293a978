"""Image references to base64: what kind a reference is, and what has to be done with it.

    as they are      files, URLs and bytes (base64-encoded), base64 text (unchanged)
    encoded          arrays and PIL images
    decoded, scaled  all of them, when limits are given and the image is above them

A decoded image is upright: its EXIF orientation is applied, as servers apply it to files that
travel as they are. So the coordinates of an answer always mean the upright image.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from inference_sdk.http.errors import EncodingError, HTTPClientError, InvalidInputFormatError
from inference_sdk.http.steps import Compute, Each, FetchURL, Operation
from inference_sdk.http.utils.encoding import decode_base_64, encode_base_64, encode_image
from inference_sdk.http.utils.requests import shown_url

LoadedImage = tuple[str, float | None]
"""Base64, and the factor the image was scaled by: None when it was not."""

LONGEST_PATH = 4096
"""Characters (PATH_MAX on Linux); longer text is not looked for on the disk."""

KEPT_BYTES = 8 * 2**20

LARGEST_AT_ONCE = 4 * 2**20
"""Bytes of a file that is encoded on the event loop, if it need not be waited for: 0.2 ms."""

LONGEST_SUFFIX = 5

LOADERS = 8
"""Images prepared at once, where that takes a codec or the network."""

# Base64 has no dot: text that ends like this is the name of a file that is not there.
_FILE_NAME = re.compile(
    r"\.(bmp|dib|gif|jfif|jp2|jpe|jpe?g|png|tiff?|webp|heic|avif)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Preparation:
    """What is done to an image before it is sent. Limits (pixels) count only when both are set."""

    max_height: int | None = None
    max_width: int | None = None
    encoding: str = "jpeg"
    quality: int = 95

    @property
    def limits(self) -> bool:
        return self.max_height is not None and self.max_width is not None


def flatten(inference_input: Any) -> Iterator[Any]:
    """The references of an input: itself, or those of a list, however nested."""
    if isinstance(inference_input, (list, tuple)):
        for element in inference_input:
            yield from flatten(element)
    else:
        yield inference_input


Load = Callable[[Any, Preparation], Operation[LoadedImage]]


def load_all(
    inference_input: Any, preparation: Preparation, load: Load | None = None
) -> Operation[list[LoadedImage]]:
    """Load an input, or a (nested) list of them, as one flat list in order.

    Args:
        inference_input: one reference, or a list of them.
        preparation: what is done to each.
        load: loads one of them; `load_image` unless given.

    Raises:
        HTTPClientError: an input cannot be loaded; in a list the message says which.
    """
    load = load or load_image
    references = list(flatten(inference_input))
    if not isinstance(inference_input, (list, tuple)):
        return [(yield from load(references[0], preparation))]
    images = (located(i, r, load(r, preparation)) for i, r in enumerate(references))
    slow = preparation.limits or not all(_is_at_hand(reference) for reference in references)
    concurrency = min(LOADERS, len(references)) if slow else 1
    loaded: list[LoadedImage] = yield Each(images, concurrency)
    return loaded


def load_nested(
    inference_input: Any, preparation: Preparation, load: Load | None = None
) -> Operation[Any]:
    """Load an input, or a list of them, keeping the nesting; `load` as of `load_all`."""
    if not isinstance(inference_input, (list, tuple)):
        return (yield from (load or load_image)(inference_input, preparation))
    loaded = iter((yield from load_all(inference_input, preparation, load)))
    return _refill(inference_input, loaded)


def _refill(shape: Any, images: Iterator[LoadedImage]) -> Any:
    if not isinstance(shape, (list, tuple)):
        return next(images)
    return [_refill(element, images) for element in shape]


def located(index: int, reference: Any, operation: Operation[Any]) -> Operation[Any]:
    """An operation on one of several inputs, whose errors say on which."""
    try:
        return (yield from operation)
    except HTTPClientError as error:
        error.locate(index, f"inputs[{index}] ({describe(reference)})")
        raise


def load_image(reference: Any, preparation: Preparation) -> Operation[LoadedImage]:
    """Load one image reference.

    Raises:
        InvalidInputFormatError: it is of no kind that can be an image.
        EncodingError: it cannot be read, decoded or encoded.
    """
    keep_freed_memory()
    if isinstance(reference, str):
        return (yield from _load_text(reference, preparation))
    if isinstance(reference, os.PathLike):
        return (yield _load_path(os.fspath(reference), preparation))
    if isinstance(reference, (bytes, bytearray, memoryview)):
        return (yield Compute(_prepare_file, bytes(reference), preparation, reference))
    if is_pillow_image(reference) or hasattr(reference, "__array__"):
        return (yield Compute(_prepare_pixels, reference, preparation))
    if hasattr(reference, "read"):
        return (yield Compute(_prepare_stream, reference, preparation))
    raise InvalidInputFormatError(
        f"{describe(reference)} is no image reference. Pass a numpy array (BGR), a PIL image, a path, an http(s) "
        "URL, base64 text, the bytes of an image file, or a list of these."
    )


def _load_text(reference: str, preparation: Preparation) -> Operation[LoadedImage]:
    if uri_is_http_link(reference):
        payload = yield FetchURL(reference)
        return (yield Compute(_prepare_file, payload, preparation, reference))
    if is_file(reference):
        return (yield _load_path(reference, preparation))
    if _looks_like_file_name(reference):
        raise InvalidInputFormatError(f"There is no file {reference!r}.")
    if not preparation.limits:
        return reference, None
    payload = yield Compute(decode_base_64, reference)
    encoded, factor = yield Compute(_prepare_file, payload, preparation, reference)
    return (reference, None) if factor is None else (encoded, factor)


def uri_is_http_link(uri: str) -> bool:
    """Whether a text is an http(s) URL rather than a path or base64."""
    return uri[:8].lower().startswith(("http://", "https://"))


def is_file(reference: str) -> bool:
    return len(reference) <= LONGEST_PATH and "\0" not in reference and os.path.isfile(reference)


def _looks_like_file_name(reference: str) -> bool:
    return _FILE_NAME.search(reference[-LONGEST_SUFFIX:]) is not None  # base64 may have megabytes


def is_pillow_image(reference: Any) -> bool:
    # Whoever holds a PIL image has imported PIL; there is no need to do so to find out.
    # Another thread may be importing it just now: then the class is not there, nor an image of it.
    image_class = getattr(sys.modules.get("PIL.Image"), "Image", None)
    return image_class is not None and isinstance(reference, image_class)


def _is_at_hand(reference: Any) -> bool:
    """Whether preparing it takes neither a codec nor the network."""
    if isinstance(reference, str):
        return not uri_is_http_link(reference)
    return isinstance(reference, (bytes, bytearray, memoryview, os.PathLike))


def describe(reference: Any) -> str:
    """A name for an input that is short, and shows no secret of a signed URL."""
    if isinstance(reference, str):
        if uri_is_http_link(reference):
            return shown_url(reference)
        if is_file(reference) or _looks_like_file_name(reference):
            return repr(reference)
        return f"text of {len(reference)} characters"
    if isinstance(reference, os.PathLike):
        return repr(os.fspath(reference))
    if isinstance(reference, (bytes, bytearray, memoryview)):
        return f"{len(reference)} bytes"
    shape = getattr(reference, "shape", None) or getattr(reference, "size", None)
    kind = type(reference).__name__
    return f"{kind} of shape {shape}" if isinstance(shape, tuple) else f"a {kind}"


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of an image for the next one. Done once.

    A picture, its base64 and its request are some 3 MB, freed after each call. glibc gives them
    back to the system at once, and fetching them anew costs 1 ms of page faults a call, more
    than everything else together. It keeps up to twice the largest block that was ever freed
    (mallopt(3), M_TRIM_THRESHOLD), so one block is allocated, never touched, and freed.
    """
    bytearray(KEPT_BYTES)


def _load_path(path: str, preparation: Preparation) -> Compute[LoadedImage]:
    at_once = None if preparation.limits else partial(_encode_cached_file, path)
    return Compute(_prepare_path, path, preparation, at_once=at_once)


def _prepare_path(path: str, preparation: Preparation) -> LoadedImage:
    try:
        with open(path, "rb") as file:
            payload = file.read()
    except OSError as error:
        raise EncodingError(f"{path!r} cannot be read: {error.strerror}.") from error
    return _prepare_file(payload, preparation, path)


def _encode_cached_file(path: str) -> LoadedImage | None:
    """Base64 of a file that the system has in memory; None where reading it could block."""
    nowait: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux
    if nowait is None:
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 < size <= LARGEST_AT_ONCE:
                return None
            content = bytearray(size)
            if os.preadv(file.fileno(), [content], 0, nowait) < size:
                return None
    except OSError:  # not in memory, or not readable at all: the thread finds out
        return None
    return encode_base_64(content), None


def _prepare_stream(stream: Any, preparation: Preparation) -> LoadedImage:
    try:
        payload = stream.read()
    except UnicodeDecodeError:
        payload = ""  # text mode, see below
    except (OSError, ValueError) as error:  # ValueError: it is closed, or for writing
        raise EncodingError(f"{describe(stream)} cannot be read: {error}.") from error
    if not isinstance(payload, bytes):
        raise InvalidInputFormatError(
            f"{describe(stream)} is not open in binary mode. Open it with 'rb'."
        )
    return _prepare_file(payload, preparation, stream)


def _prepare_file(payload: bytes, preparation: Preparation, reference: Any) -> LoadedImage:
    """The bytes of an image file, as they are unless they have to be scaled."""
    if not payload:
        raise EncodingError(f"{describe(reference)} is empty.")
    if preparation.limits:
        from inference_sdk.http.utils.encoding import bytes_to_pillow_image
        from inference_sdk.http.utils.pre_processing import resize_pillow_image

        try:
            image, factor = resize_pillow_image(
                bytes_to_pillow_image(payload), preparation.max_height, preparation.max_width
            )
            if factor is not None:
                return _encode(image, preparation), factor
        except EncodingError as error:
            raise EncodingError(f"{describe(reference)}: {error}") from error
    return encode_base_64(payload), None


def _prepare_pixels(image: Any, preparation: Preparation) -> LoadedImage:
    from inference_sdk.http.utils.pre_processing import resize_opencv_image, resize_pillow_image

    limits = preparation.max_height, preparation.max_width
    try:
        if is_pillow_image(image):
            scaled, factor = resize_pillow_image(image, *limits)
            return _encode(scaled, preparation), factor
        array, factor = resize_opencv_image(_as_array(image), *limits)
        return _encode(array, preparation), factor
    except EncodingError as error:
        raise EncodingError(f"{describe(image)}: {error}") from error


def _as_array(image: Any) -> Any:
    import numpy as np

    try:
        return np.asarray(image)
    except (TypeError, ValueError, RuntimeError) as error:  # such as a tensor on a GPU
        raise EncodingError(f"It does not become an array: {error}") from error


def _encode(image: Any, preparation: Preparation) -> str:
    return encode_base_64(encode_image(image, preparation.encoding, preparation.quality))
