"""Pictures between their three forms: file bytes, numpy arrays, PIL images.

Loads numpy and Pillow, so it is imported only where a picture has to be opened; `encoding` is
its light front. Knows nothing of where pictures come from or go to.

What is sent, by what it was:

    array                 (H, W) or (H, W, 1) grey, (H, W, 3) BGR, (H, W, 4) BGRA
      uint8               as it is
      bool                False 0, True 255
      uint16              its high byte
      float               0..1 becomes 0..255, rounded; other values are refused
      other               refused: only the caller knows the range of the values
    PIL image             turned upright by its EXIF orientation, and then
      L, RGB, LA, RGBA    as it is
      1, P, PA, CMYK, …   the grey or colours it shows, alpha kept
      I;16                its high byte; mode I is refused, unless it is a 16-bit PNG file
      F                   as a float array
    alpha                 png and webp keep it; jpeg cannot, the stored colours remain
"""

from __future__ import annotations

import binascii
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from PIL import Image, UnidentifiedImageError

from inference_sdk.http.errors import EncodingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_QUALITY = 95
"""Of JPEG and WebP: what OpenCV writes by default, and what detectors are trained on."""

PNG_COMPRESSION = 1
"""Of 0..9. On photographs 6, the default, saves 11 % and takes 4.5 times as long."""

# What Pillow's readers raise, beside OSError, on bytes that only begin like an image.
_READ_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
    binascii.Error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

_RAW_MODES = {1: ("L", "L"), 3: ("RGB", "BGR"), 4: ("RGBA", "BGRA")}
"""Channels of an array: Pillow's mode, and the byte order it reads them from."""

_OPENCV_RAW_MODES = {"L": "L", "RGB": "BGR", "RGBA": "BGRA"}
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTED_METADATA = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")


def encode_image(
    image: Union[NDArray[Any], Image.Image],
    encoding: str = "jpeg",
    quality: int = DEFAULT_QUALITY,
) -> bytes:
    """File bytes of a picture.

    Args:
        image: array or PIL image, of the kinds in the table on top of this module.
        encoding: "jpeg", "png" (lossless) or "webp".
        quality: 1..100, of jpeg and webp.

    Raises:
        EncodingError: the image is of another kind, or too large for the encoding.
    """
    picture = sendable(image) if isinstance(image, Image.Image) else _array_to_pillow(image)
    if encoding == "jpeg" and picture.mode in ("RGBA", "LA"):
        picture = picture.convert(picture.mode[:-1])
    options: dict[str, dict[str, Any]] = {
        "jpeg": {"quality": quality},
        "png": {"compress_level": PNG_COMPRESSION},
        # method 2 of 0..6: less than half the time of the default, 4, for 1 % more bytes.
        "webp": {"quality": quality, "method": 2},
    }
    if encoding not in options:
        raise EncodingError(f"Cannot encode as {encoding!r}; use one of {', '.join(options)}.")
    buffer = BytesIO()
    try:
        picture.save(buffer, format=encoding, **options[encoding])
    except (OSError, ValueError) as error:
        size = f"{picture.width}x{picture.height}"
        raise EncodingError(f"A picture of {size} cannot be written as {encoding}.") from error
    return buffer.getvalue()


def bytes_to_pillow_image(payload: bytes) -> Image.Image:
    """Decode an image file.

    Returns:
        The picture, upright, in the mode it is stored in.

    Raises:
        EncodingError: not an image, cut short, or too large to be meant well (Pillow's
            `Image.MAX_IMAGE_PIXELS` decides).
    """
    try:
        image = Image.open(BytesIO(payload))
        image.load()
        return upright(image)
    except UnidentifiedImageError as error:  # its text names a buffer, which says nothing
        raise EncodingError(
            f"These {len(payload)} bytes cannot be decoded as an image of any known kind."
        ) from error
    except _READ_ERRORS as error:
        raise EncodingError(
            f"These {len(payload)} bytes cannot be decoded as an image: {error}"
        ) from error


def bytes_to_opencv_image(payload: bytes, array_type: np.number[Any] = np.uint8) -> NDArray[Any]:  # type: ignore[assignment]
    """Decode an image file.

    Args:
        payload: content of the file.
        array_type: dtype of the result, unless the file has 16 bits a channel: then it is uint16,
            as in depth maps, and values are 0..65535. Else they are 0..255, whatever the dtype.

    Returns:
        Array of shape (H, W) for grey, (H, W, 3) in BGR order for colours, (H, W, 4) in BGRA
        order for colours with alpha; upright; writable.

    Raises:
        EncodingError: see `bytes_to_pillow_image`.
    """
    picture = bytes_to_pillow_image(payload)
    if picture.mode.startswith("I"):  # grey of 16 bits; Pillow reads colours of 16 bits as 8
        return np.array(picture).astype(np.uint16, copy=False)
    picture = sendable(picture)
    if picture.mode == "LA":
        picture = picture.convert("RGBA")
    return _pillow_to_array(picture).astype(array_type, copy=False)


def pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """The colours of a PIL image as a writable uint8 array of shape (H, W, 3), BGR, upright."""
    return _pillow_to_array(sendable(image).convert("RGB"))


def upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation means it; the same object when it is upright already."""
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except _READ_ERRORS:
        return image  # metadata that cannot be read says nothing, and the pixels are fine
    if turn is None:
        return image
    turned = image.transpose(turn)
    # Not ImageOps.exif_transpose: it writes the other tags anew, and fails on malformed ones.
    for key in _ORIENTED_METADATA:
        turned.info.pop(key, None)
    return turned


def to_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Values of any kind of picture as 0..255, by the table on top of this module.

    Raises:
        EncodingError: the dtype or the values leave open what is meant.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        whites: NDArray[np.uint8] = np.multiply(array, 255, dtype=np.uint8)
        return whites
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        high_bytes: NDArray[np.uint8] = np.right_shift(array, 8).astype(np.uint8)
        return high_bytes
    if array.dtype.kind == "f":
        return _unit_floats_to_uint8(array)
    raise EncodingError(
        f"An image of dtype {array.dtype} (shape {array.shape}) is ambiguous. "
        "Convert it: image.astype(np.uint8) where its values are 0..255."
    )


def _unit_floats_to_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # also false for NaN
        raise EncodingError(
            f"An image of dtype {array.dtype} must have values in 0..1, these are {low}..{high}. "
            "Convert it: image.astype(np.uint8) where its values are 0..255."
        )
    # Not in float16: its steps near 255 are coarser than half a value.
    scaled: NDArray[np.uint8] = np.rint(array * np.float32(255)).astype(np.uint8)
    return scaled


def check_shape(array: NDArray[Any]) -> int:
    """Number of channels of a picture: 1, 3 or 4.

    Raises:
        EncodingError: the array has no pixels, or another shape than a picture.
    """
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels in _RAW_MODES and array.size:
        return channels
    hint = ""
    if array.ndim == 3 and array.shape[0] in _RAW_MODES:
        hint = " Channels come last: image.transpose(1, 2, 0)."
    raise EncodingError(
        f"An array of shape {array.shape} and dtype {array.dtype} is no image; expected "
        f"(height, width), or (height, width, channels) with 1, 3 (BGR) or 4 (BGRA) channels.{hint}"
    )


def _array_to_pillow(array: NDArray[Any]) -> Image.Image:
    mode, raw_mode = _RAW_MODES[check_shape(array)]
    pixels = np.ascontiguousarray(to_uint8(array))
    size = (array.shape[1], array.shape[0])
    return Image.frombuffer(mode, size, pixels, "raw", raw_mode, 0, 1)


def _pillow_to_array(picture: Image.Image) -> NDArray[np.uint8]:
    """Pixels of a picture of mode L, RGB or RGBA, in OpenCV's order."""
    # A bytearray makes the array writable, and Pillow swaps the channels 2 to 5 times faster than
    # numpy does.
    pixels = bytearray(picture.tobytes("raw", _OPENCV_RAW_MODES[picture.mode]))
    channels = len(picture.getbands())
    shape = (picture.height, picture.width, channels)[: 2 if channels == 1 else 3]
    return np.frombuffer(pixels, dtype=np.uint8).reshape(shape)


def sendable(image: Image.Image) -> Image.Image:
    """The picture upright, in one of the modes L, RGB, LA and RGBA."""
    if not (image.width and image.height):
        raise EncodingError(f"A PIL image of size {image.size} has no pixels.")
    is_png = image.format == "PNG"  # lost when the picture is turned
    try:
        image.load()
        image = upright(image)
        if image.mode == "F" or image.mode.startswith("I"):
            return _deep_to_grey(image, is_png)
        mode = _sendable_mode(image)
        return image if image.mode == mode else image.convert(mode)
    except _READ_ERRORS as error:
        raise EncodingError(
            f"A PIL image of mode {image.mode!r} cannot be read: {error}"
        ) from error


def _sendable_mode(image: Image.Image) -> str:
    if image.mode in ("L", "RGB", "LA", "RGBA"):
        return image.mode
    colours = "RGBA" if image.has_transparency_data else "RGB"
    return {"1": "L", "La": "LA"}.get(image.mode, colours)


def _deep_to_grey(image: Image.Image, is_png: bool) -> Image.Image:
    """A picture of more than 8 bits a pixel, as 8 bits."""
    values = np.asarray(image)
    if image.mode == "I" and is_png:
        values = values.astype(np.uint16)  # so does Pillow before 11 read PNG of 16 bits
    elif image.mode == "I":
        raise EncodingError(
            "A PIL image of mode 'I' leaves the range of its values open. Convert it: "
            "image.convert('L') where they are 0..255, image.convert('I;16') where 0..65535."
        )
    return Image.fromarray(to_uint8(values))
