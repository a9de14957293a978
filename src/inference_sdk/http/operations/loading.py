"""Image references to base64: what kind a reference is, and what has to be done with it.

    as they are      files, URLs and bytes (base64-encoded), base64 text (in the usual form)
    encoded          arrays and PIL images
    decoded, scaled  all of them, when limits are given and the image is above them
    decoded, turned  files of WebP and AVIF with an EXIF orientation, which servers overlook

Whatever travels begins like a picture; what does not is refused here, by name. What is decoded is
upright: its EXIF orientation is applied, as servers apply it to files that travel as they are. So
the coordinates of an answer always mean the upright image (`picture_opening` says what counts).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from inference_sdk.http.errors import HTTPClientError, InvalidInputFormatError
from inference_sdk.http.operations.image_inputs import describe as describe
from inference_sdk.http.operations.image_inputs import is_array, is_pillow_image
from inference_sdk.http.operations.image_inputs import uri_is_http_link as uri_is_http_link
from inference_sdk.http.operations.preparing import (
    LARGEST_AT_ONCE,
    encode_cached_file,
    keep_freed_memory,
    prepare_bytes,
    prepare_download,
    prepare_path,
    prepare_pixels,
    prepare_stream,
    prepare_text,
)
from inference_sdk.http.operations.preparing import LoadedImage as LoadedImage
from inference_sdk.http.operations.preparing import Preparation as Preparation
from inference_sdk.http.steps import Compute, Each, FetchURL, Operation
from inference_sdk.http.utils.file_reading import refuse_what_is_no_file, what_is_there

LOADERS = 8
"""Images prepared at once, where that takes a codec or the network."""


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
        return (yield Compute(prepare_bytes, reference, preparation))
    if is_pillow_image(reference) or is_array(reference):
        return (yield Compute(prepare_pixels, reference, preparation))
    if hasattr(reference, "read"):
        return (yield Compute(prepare_stream, reference, preparation))
    raise InvalidInputFormatError(
        f"{describe(reference)} is no image reference. {_hint(reference)}"
    )


def _hint(reference: Any) -> str:
    if hasattr(reference, "__aiter__"):
        return "infer_many_async() takes an async iterable of images."
    if hasattr(reference, "__iter__") and not isinstance(reference, (dict, str)):
        return "infer_many() takes any iterable of images; the other calls take a list."
    return (
        "Pass a numpy array (BGR), a PIL image, a path, an http(s) URL, base64 text, the bytes of "
        "an image file, or a list of these."
    )


def refuse_what_is_no_image(reference: Any) -> None:
    """Refuse at first glance what other calls take, before a server is asked about the model.

    Raises:
        InvalidInputFormatError: it is a folder, or an iterator; says which call takes it.
    """
    if isinstance(reference, (str, os.PathLike)):
        path = os.fsdecode(reference)
        if not uri_is_http_link(path) and (found := what_is_there(path)) is not None:
            refuse_what_is_no_file(path, found)
    elif hasattr(reference, "__aiter__") or _is_iterator(reference):
        raise InvalidInputFormatError(
            f"{describe(reference)} is no image reference. {_hint(reference)}"
        )


def _is_iterator(reference: Any) -> bool:
    # An open file is one, too, and so may be what a library calls a picture.
    of_pixels = is_array(reference) or is_pillow_image(reference) or hasattr(reference, "read")
    return hasattr(reference, "__next__") and not of_pixels


def _load_text(reference: str, preparation: Preparation) -> Operation[LoadedImage]:
    if uri_is_http_link(reference):
        download = yield FetchURL(reference)
        return (yield Compute(prepare_download, download, preparation, reference))
    found = what_is_there(reference)
    if found is not None:
        refuse_what_is_no_file(reference, found)
        return (yield _load_path(reference, preparation))
    work = partial(prepare_text, reference, preparation)
    quick = not preparation.limits and len(reference) <= LARGEST_AT_ONCE
    return (yield Compute(work, at_once=work if quick else None))


def _load_path(path: Any, preparation: Preparation) -> Compute[LoadedImage]:
    path = os.fsdecode(path)
    at_once = None if preparation.limits else partial(encode_cached_file, path)
    return Compute(prepare_path, path, preparation, at_once=at_once)


def _is_at_hand(reference: Any) -> bool:
    """Whether preparing it takes neither a codec nor the network."""
    if isinstance(reference, str):
        return not uri_is_http_link(reference)
    return isinstance(reference, (bytes, bytearray, memoryview, os.PathLike))
