"""Pictures of the source, where a form or something beside it wants them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Frame = np.ndarray[Any, np.dtype[np.uint8]]


def size_of_file(image: str) -> tuple[int, int] | None:
    """(width, height) of a picture on this machine, upright; None if it is none."""
    from inference_sdk.http.errors import EncodingError
    from inference_sdk.http.utils.picture_opening import open_picture, upright_size

    try:
        return upright_size(open_picture(Path(image).read_bytes(), own=True))
    except (EncodingError, OSError, ValueError):
        return None


def pixels_of(reference: Any) -> Frame:
    """A picture of the source as a BGR uint8 array of shape (H, W, 3), upright.

    Raises:
        EncodingError: it cannot be read or decoded.
    """
    from inference_sdk.http.operations.image_inputs import (
        is_array,
        is_pillow_image,
        uri_is_http_link,
    )
    from inference_sdk.http.utils.image_codec import pillow_to_bgr, to_uint8
    from inference_sdk.http.utils.picture_opening import open_picture, upright

    if is_array(reference):
        return to_uint8(reference)
    if is_pillow_image(reference):
        return pillow_to_bgr(reference)
    is_path = isinstance(reference, (str, os.PathLike))
    own = is_path and not uri_is_http_link(os.fsdecode(reference))
    return pillow_to_bgr(upright(open_picture(_content_of(reference), own=own)))


def _content_of(reference: Any) -> bytes:
    from inference_sdk.http.utils.encoding import decode_base_64
    from inference_sdk.http.utils.file_reading import read_file
    from inference_sdk.http.utils.loaders import load_image_from_string

    if isinstance(reference, (bytes, bytearray)):
        return bytes(reference)
    if isinstance(reference, os.PathLike):
        return read_file(os.fspath(reference))
    if hasattr(reference, "read"):
        content: bytes = reference.read()
        return content
    return decode_base_64(load_image_from_string(reference)[0])
