"""Images made ready to travel: read, looked at, and encoded or scaled where they have to be.

All of it blocks (files, codecs), and nothing of it waits for a server. Whatever travels begins
like a picture; what does not is refused here, by name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from inference_sdk.http.errors import EncodingError, InvalidInputFormatError
from inference_sdk.http.observing import Phase, timed
from inference_sdk.http.operations.image_inputs import (
    LONGEST_SUFFIX,
    describe,
    is_pillow_image,
    looks_like_file_name,
)
from inference_sdk.http.utils.encoding import encode_base_64, encode_image, read_base_64
from inference_sdk.http.utils.file_reading import read_file, read_stream, shown
from inference_sdk.http.utils.picture_kinds import SENT_AS_THEY_ARE, kind_of, what_it_is
from inference_sdk.utils.masking import knowing, mask

if TYPE_CHECKING:
    from inference_sdk.http.downloads.following import Download

LoadedImage = tuple[str, float | None]
"""Base64, and the factor the image was scaled by: None when it was not."""

LARGEST_AT_ONCE = 4 * 2**20
"""Bytes of a file that is encoded on the event loop, if it need not be waited for: 0.2 ms."""

KEPT_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Preparation:
    """What is done to an image before it is sent. Limits (pixels) count only when both are set."""

    max_height: int | None = None
    max_width: int | None = None
    encoding: str = "jpeg"
    quality: int = 95
    white: float | None = None
    color_order: str = "bgr"

    @property
    def limits(self) -> bool:
        return self.max_height is not None and self.max_width is not None


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of an image for the next one. Done once.

    A picture, its base64 and its request are some 3 MB, freed after each call. glibc gives them
    back to the system at once, and fetching them anew costs 1 ms of page faults a call, more
    than everything else together. It keeps up to twice the largest block that was ever freed
    (mallopt(3), M_TRIM_THRESHOLD), so one block is allocated, never touched, and freed.
    """
    bytearray(KEPT_BYTES)


def prepare_path(path: str, preparation: Preparation) -> LoadedImage:
    with timed(Phase.READING):
        content = read_file(path)
    return prepare_file(content, preparation, path, own=True)


def encode_cached_file(path: str) -> LoadedImage | None:
    """Base64 of a file that the system has in memory; None where reading it could block."""
    nowait: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux
    if nowait is None:
        return None
    with timed(Phase.READING):
        content = _read_cached(path, nowait)
    if content is not None and kind_of(content) in SENT_AS_THEY_ARE:
        return _in_base_64(content), None
    return None


def _read_cached(path: str, nowait: int) -> bytearray | None:
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            size = os.fstat(file.fileno()).st_size
            if not 0 < size <= LARGEST_AT_ONCE:
                return None
            content = bytearray(size)
            return content if os.preadv(file.fileno(), [content], 0, nowait) == size else None
    except (OSError, ValueError):  # not in memory, or not readable: the thread finds out
        return None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # opening a pipe waits for its writer


def prepare_stream(stream: Any, preparation: Preparation) -> LoadedImage:
    with timed(Phase.READING):
        content = read_stream(stream, describe(stream))
    return prepare_file(content, preparation, stream)


def prepare_bytes(content: bytes | bytearray | memoryview, preparation: Preparation) -> LoadedImage:
    if isinstance(content, memoryview) and (content.ndim != 1 or content.itemsize != 1):
        raise InvalidInputFormatError(
            f"A memoryview of shape {content.shape} and format {content.format!r} is no image "
            "file. Pass the array itself, or the bytes of a file."
        )
    return prepare_file(bytes(content), preparation, content)


def prepare_download(download: Download, preparation: Preparation, url: str) -> LoadedImage:
    """What came from a URL. Where it is no picture, its host knows what it meant to send."""
    try:
        return prepare_file(download.content, preparation, url)
    except EncodingError as error:
        if kind_of(download.content) is not None:
            raise
        kind = download.content_type
        with knowing(url):
            said = f"content type {shown(mask(kind))}" if kind else "no content type"
        raise EncodingError(
            f"{error} It came with status {download.status} and {said}: "
            f"{len(download.content):,} bytes."
        ) from error


def prepare_text(text: str, preparation: Preparation) -> LoadedImage:
    """Base64 of a picture: whoever passes the name of a file that is not there does not mean to
    have it sent to a server.
    """
    if looks_like_file_name(text):
        raise InvalidInputFormatError(f"There is no file {shown(text)}.")
    try:
        encoded, payload = read_base_64(text)
    except EncodingError:
        raise InvalidInputFormatError(
            f"{describe(text)} is no image reference: there is no such file, and it is not the "
            f"base64 of a picture. {_hint_for_text(text)}"
        ) from None
    if kind_of(payload) is None:
        raise InvalidInputFormatError(
            f"{describe(text)} is no image reference: there is no such file, and as base64 it is "
            f"{what_it_is(payload)}"
        )
    return prepare_file(payload, preparation, text, encoded=encoded)


def _hint_for_text(text: str) -> str:
    if "://" in text[: LONGEST_SUFFIX + len("://")]:
        return "Images by URL are http(s); infer_on_stream() reads streams."
    return "Pass a path, an http(s) URL, or base64."


def prepare_file(
    payload: bytes,
    preparation: Preparation,
    reference: Any,
    *,
    own: bool = False,
    encoded: str | None = None,
) -> LoadedImage:
    """The bytes of an image file: as they are, unless they have to be scaled or turned.

    Args:
        payload: content of the file, or the base64 of it.
        preparation: what is done to it.
        reference: how the caller named it.
        own: a file of the caller's, by path: of any kind that Pillow knows.
        encoded: its base64, where that is known.
    """
    kind = kind_of(payload)
    if kind in SENT_AS_THEY_ARE and not preparation.limits:
        return encoded or _in_base_64(payload), None
    if kind is None and encoded is None and (found := _unwrap(payload)) is not None:
        encoded, payload = found
    try:
        _require_picture(payload, own)
        made = _scaled_or_turned(payload, preparation, own)
    except EncodingError as error:
        raise EncodingError(f"{describe(reference)}: {error}") from error
    return made or (encoded or _in_base_64(payload), None)


def _unwrap(payload: bytes) -> tuple[str, bytes] | None:
    """Base64 and content of a picture that comes as the bytes of base64; None of other bytes."""
    try:
        encoded, content = read_base_64(payload.decode("ascii"))
    except (UnicodeDecodeError, EncodingError):
        return None
    return None if kind_of(content) is None else (encoded, content)


def _require_picture(payload: bytes, own: bool) -> None:
    if not payload:
        raise EncodingError("It is empty.")
    if kind_of(payload) is None and not (own and _can_be_opened(payload)):
        raise EncodingError(f"It is {what_it_is(payload)}")


def _can_be_opened(payload: bytes) -> bool:
    from inference_sdk.http.utils.picture_opening import can_be_opened

    return can_be_opened(payload)


def _scaled_or_turned(payload: bytes, preparation: Preparation, own: bool) -> LoadedImage | None:
    """The picture encoded anew, if it has to be."""
    from inference_sdk.http.utils.picture_opening import lies_unseen, open_picture
    from inference_sdk.http.utils.pre_processing import resize_pillow_image

    lies = lies_unseen(payload)
    if not (lies or preparation.limits):
        return None
    picture = open_picture(payload, own=own)
    picture, factor = resize_pillow_image(picture, preparation.max_height, preparation.max_width)
    if factor is None and not lies:
        return None
    return _encode(picture, preparation), factor


def prepare_pixels(image: Any, preparation: Preparation) -> LoadedImage:
    from inference_sdk.http.utils.image_codec import check_shape, rgb_to_pillow, sendable, to_uint8
    from inference_sdk.http.utils.pre_processing import resize_opencv_image, resize_pillow_image

    limits = preparation.max_height, preparation.max_width
    try:
        if is_pillow_image(image):
            picture, factor = resize_pillow_image(sendable(image, preparation.white), *limits)
            return _encode(picture, preparation), factor
        array = _as_array(image)
        channels = check_shape(array)
        array = to_uint8(array, preparation.white)
        if preparation.color_order == "rgb" and channels > 1:
            picture, factor = resize_pillow_image(rgb_to_pillow(array), *limits)
            return _encode(picture, preparation), factor
        array, factor = resize_opencv_image(array, *limits)
        return _encode(array, preparation), factor
    except EncodingError as error:
        raise EncodingError(f"{describe(image)}: {error}") from error


def _as_array(image: Any) -> Any:
    import numpy as np

    try:
        return np.asarray(image)
    except Exception as error:  # such as a tensor on a GPU: its library has errors of its own
        raise EncodingError(f"It does not become an array: {error}") from error


def _encode(image: Any, preparation: Preparation) -> str:
    with timed(Phase.ENCODING):
        return encode_base_64(encode_image(image, preparation.encoding, preparation.quality))


def _in_base_64(content: bytes | bytearray) -> str:
    with timed(Phase.ENCODING):
        return encode_base_64(content)
