"""Pictures to base64 and back, as they travel in requests and answers.

Light to import: base64 needs neither numpy nor Pillow, and the files that a client sends as
they are never meet them. Where pixels are needed, `image_codec` does the work; see there for
what becomes of which kind of array or PIL image.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import unquote

from inference_sdk.http.errors import EncodingError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from inference_sdk.http.utils.image_codec import bytes_to_opencv_image


def __getattr__(name: str) -> Any:
    # The default of its argument is a numpy type, so defining it here would load numpy.
    if name == "bytes_to_opencv_image":
        from inference_sdk.http.utils.image_codec import bytes_to_opencv_image

        return bytes_to_opencv_image
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "bytes_to_opencv_image",
    "bytes_to_pillow_image",
    "decode_base_64",
    "encode_base_64",
    "encode_image",
    "numpy_array_to_base64_jpeg",
    "pillow_image_to_base64_jpeg",
    "read_base_64",
]


def encode_base_64(payload: bytes | bytearray) -> str:
    """Base64 text of any bytes."""
    return _base64_encoder()(payload)


@cache
def _base64_encoder() -> Callable[[bytes | bytearray], str]:
    import pybase64

    as_text: Callable[[bytes | bytearray], str] | None = getattr(
        pybase64, "b64encode_as_string", None
    )
    # pybase64 1.0, which Roboflow's packages pin, makes bytes only: one copy more.
    return as_text or (lambda payload: pybase64.b64encode(payload).decode("ascii"))


def decode_base_64(text: str) -> bytes:
    """Bytes of base64 text, in any of the forms of `read_base_64`.

    Raises:
        EncodingError: not base64.

    Example:
        >>> decode_base_64("data:text/plain;base64,aGk=")
        b'hi'
    """
    return read_base_64(text)[1]


def read_base_64(text: str) -> tuple[str, bytes]:
    """Base64 text in the form that every server reads, and its bytes.

    The whole text is checked: 0.04 ms for a photograph. The prefix of a data URI, line breaks and
    other white space are left out; the URL-safe alphabet becomes the usual one; missing padding
    is added.

    Raises:
        EncodingError: not base64.
    """
    import pybase64

    try:
        return text, pybase64.b64decode(text, validate=True)
    except ValueError:  # other forms are rare: a second try is cheaper than looking for them
        pass
    try:
        encoded = _usual_form(text)
        return encoded, pybase64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise EncodingError(f"A text of {len(text)} characters is not base64: {error}") from error


def _usual_form(text: str) -> str:
    if text[:5].lower() == "data:":
        kind, comma, text = text.partition(",")
        if not (comma and kind.lower().endswith(";base64")):
            raise ValueError("a data URI without ';base64,'")
        text = unquote(text)
    compact = "".join(text.split()).replace("-", "+").replace("_", "/")
    bare = compact.rstrip("=")
    return bare + "=" * (-len(bare) % 4) if len(compact) - len(bare) <= 2 else compact


def encode_image(
    image: Union[np.ndarray[Any, Any], Image.Image],
    encoding: str = "jpeg",
    quality: int = 95,
    white: float | None = None,
) -> bytes:
    """File bytes of an array (BGR, BGRA or grey) or PIL image.

    Args:
        image: see the table on top of `image_codec`.
        encoding: "jpeg", "png" (lossless) or "webp".
        quality: 1..100, of jpeg and webp.
        white: the value that is white, where it is not the dtype's own: 4095 for uint16 arrays of
            12 bits.

    Raises:
        EncodingError: the image is of a kind that has no certain meaning.
    """
    from inference_sdk.http.utils import image_codec

    return image_codec.encode_image(image, encoding, quality, white)


def numpy_array_to_base64_jpeg(image: np.ndarray[Any, Any]) -> Union[str]:
    """Base64 JPEG (quality 95) of an array: grey (H, W), BGR (H, W, 3) or BGRA (H, W, 4).

    Raises:
        EncodingError: the array is no picture; the message names shape and dtype.
    """
    return encode_base_64(encode_image(image))


def pillow_image_to_base64_jpeg(image: Image.Image) -> str:
    """Base64 JPEG (quality 95) of a PIL image of any mode, upright.

    Raises:
        EncodingError: a mode whose values have no certain range.
    """
    return encode_base_64(encode_image(image))


def bytes_to_pillow_image(payload: bytes) -> Image.Image:
    """Decode an image file: upright, in the mode it is stored in.

    JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, PPM and JPEG 2000 are read, and no other kind.

    Raises:
        EncodingError: not such an image, cut short, or too large to be meant well.
    """
    from inference_sdk.http.utils import picture_opening

    return picture_opening.bytes_to_pillow_image(payload)
