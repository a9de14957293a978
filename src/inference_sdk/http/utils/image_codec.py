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
      with `white` given  0..white becomes 0..255, of any dtype but uint8 and bool: 4095 for
                          the uint16 arrays of a camera of 12 bits, which else are nearly black
    PIL image             turned upright by its EXIF orientation, and then
      L, RGB, LA, RGBA    as it is
      1, P, PA, CMYK, …   the grey or colours it shows, alpha kept
      I;16                its high byte; mode I is refused, unless a PNG or PGM file of 16 bits
      F                   as a float array; values of a PFM file may also be 0..255
    alpha                 png and webp keep it; jpeg cannot, the stored colours remain
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from PIL import Image

from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.picture_opening import READ_ERRORS, open_picture, upright
from inference_sdk.http.utils.picture_opening import bytes_to_pillow_image as bytes_to_pillow_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_QUALITY = 95
"""Of JPEG and WebP: what OpenCV writes by default, and what detectors are trained on."""

PNG_COMPRESSION = 1
"""Of 0..9. On photographs 6, the default, saves 11 % and takes 4.5 times as long."""

_RAW_MODES = {1: ("L", "L"), 3: ("RGB", "BGR"), 4: ("RGBA", "BGRA")}
"""Channels of an array: Pillow's mode, and the byte order it reads them from."""

_OPENCV_RAW_MODES = {"L": "L", "RGB": "BGR", "RGBA": "BGRA"}
_ROUNDING = 1e-5
"""By how much of their range floats may miss it, as sums and products of them do."""

_LARGEST_SIDES = {"jpeg": 65_500, "webp": 16_383}


def encode_image(
    image: Union[NDArray[Any], Image.Image],
    encoding: str = "jpeg",
    quality: int = DEFAULT_QUALITY,
    white: float | None = None,
) -> bytes:
    """File bytes of a picture.

    Args:
        image: array or PIL image, of the kinds in the table on top of this module.
        encoding: "jpeg", "png" (lossless) or "webp".
        quality: 1..100, of jpeg and webp.
        white: the value that is white, where it is not the dtype's own.

    Raises:
        EncodingError: the image is of another kind, or too large for the encoding.
    """
    if isinstance(image, Image.Image):
        picture = sendable(image, white)
    else:
        picture = _array_to_pillow(image, white)
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
        raise _unwritable(picture, encoding, error) from error
    return buffer.getvalue()


def _unwritable(picture: Image.Image, encoding: str, error: Exception) -> EncodingError:
    said = f"A picture of {picture.width}x{picture.height} cannot be written as {encoding}"
    side = _LARGEST_SIDES.get(encoding)
    if side is None or max(picture.size) <= side:
        return EncodingError(f"{said}: {error}.")
    return EncodingError(
        f"{said}, whose sides have at most {side} pixels (jpeg {_LARGEST_SIDES['jpeg']}, webp "
        f"{_LARGEST_SIDES['webp']}). Use image_encoding='png', which has no such limit, or scale "
        "the picture down."
    )


def bytes_to_opencv_image(payload: bytes, array_type: np.number[Any] = np.uint8) -> NDArray[Any]:  # type: ignore[assignment]
    """Decode an image file: JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, PPM or JPEG 2000.

    Args:
        payload: content of the file.
        array_type: dtype of the result. By default that of the file: uint8, and uint16 for PNG
            and grey TIFF of 16 bits, int32 or float32 for grey TIFF of 32.

    Returns:
        Array of shape (H, W) for grey, (H, W, 3) in BGR order for colours, (H, W, 4) in BGRA
        order for colours with alpha; upright; writable.

    Raises:
        EncodingError: see `bytes_to_pillow_image`.
    """
    picture = bytes_to_pillow_image(payload)
    deep = _deep_values(picture, payload)
    if deep is not None:
        return deep if np.dtype(array_type) == np.uint8 else deep.astype(array_type)
    picture = sendable(picture)
    if picture.mode == "LA":
        picture = picture.convert("RGBA")
    return _pillow_to_array(picture).astype(array_type, copy=False)


def _deep_values(picture: Image.Image, payload: bytes) -> NDArray[Any] | None:
    """Values of more than 8 bits, as they are stored; None where there are none."""
    if picture.mode.startswith("I;16"):
        return np.array(picture).astype(np.uint16)
    if picture.mode == "I":
        in_16_bits = payload[:1] in (b"\x89", b"P")  # PNG before Pillow 11, PGM
        return np.array(picture).astype(np.uint16 if in_16_bits else np.int32)
    if picture.mode == "F":
        return np.array(picture)
    return _deep_png(payload) if _is_deep_png(payload) else None


def _is_deep_png(payload: bytes) -> bool:
    bits, colour_type = payload[24:25], payload[25:26]
    return payload.startswith(b"\x89PNG") and bits == b"\x10" and colour_type in (b"\2", b"\6")


def _deep_png(payload: bytes) -> NDArray[np.uint16]:
    """Colours of 16 bits a channel: Pillow reads the high bytes, or the low ones, not both."""
    high, low = _bytes_of_deep_png(payload, "16B"), _bytes_of_deep_png(payload, "16L")
    return np.bitwise_or(np.left_shift(high, 8, dtype=np.uint16), low, dtype=np.uint16)


def _bytes_of_deep_png(payload: bytes, byte: str) -> NDArray[np.uint8]:
    image: Any = open_picture(payload)
    *place, layout = image.tile[0]
    image.tile = [(*place, layout.replace("16B", byte))]
    return _pillow_to_array(upright(image))


def pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """The colours of a PIL image as a writable uint8 array of shape (H, W, 3), BGR, upright."""
    picture = sendable(image)
    return _pillow_to_array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def to_uint8(array: NDArray[Any], white: float | None = None) -> NDArray[np.uint8]:
    """Values of any kind of picture as 0..255, by the table on top of this module.

    Raises:
        EncodingError: the dtype or the values leave open what is meant.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        whites: NDArray[np.uint8] = np.multiply(array, 255, dtype=np.uint8)
        return whites
    if white is not None and array.dtype.kind in "uif":
        return _scaled_to_uint8(array, white)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        high_bytes: NDArray[np.uint8] = np.right_shift(array, 8).astype(np.uint8)
        return high_bytes
    if array.dtype.kind == "f":
        return _scaled_to_uint8(array, 1)
    raise EncodingError(
        f"An image of dtype {array.dtype} (shape {array.shape}) is ambiguous. "
        "Convert it: image.astype(np.uint8) where its values are 0..255; or say which value is "
        "white: image_max_value."
    )


def _scaled_to_uint8(array: NDArray[Any], white: float) -> NDArray[np.uint8]:
    low, high = array.min(), array.max()
    tolerance = white * _ROUNDING
    if not (low >= -tolerance and high <= white + tolerance):  # also false for NaN
        raise EncodingError(
            f"An image of dtype {array.dtype} must have values in 0..{white:g}, these are "
            f"{low}..{high}. Convert it: image.astype(np.uint8) where its values are 0..255; or "
            "say which value is white: image_max_value."
        )
    # Not in float16: its steps near 255 are coarser than half a value.
    scaled: NDArray[np.uint8] = np.rint(array * np.float32(255 / white)).astype(np.uint8)
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


def _array_to_pillow(array: NDArray[Any], white: float | None = None) -> Image.Image:
    mode, raw_mode = _RAW_MODES[check_shape(array)]
    pixels = np.ascontiguousarray(to_uint8(array, white))
    size = (array.shape[1], array.shape[0])
    return Image.frombuffer(mode, size, pixels, "raw", raw_mode, 0, 1)


def rgb_to_pillow(array: NDArray[np.uint8]) -> Image.Image:
    """An array of shape (H, W, 3) in RGB or (H, W, 4) in RGBA order as a PIL image."""
    return Image.fromarray(np.ascontiguousarray(array))


def _pillow_to_array(picture: Image.Image) -> NDArray[np.uint8]:
    """Pixels of a picture of mode L, RGB or RGBA, in OpenCV's order."""
    # A bytearray makes the array writable, and Pillow swaps the channels 2 to 5 times faster than
    # numpy does.
    pixels = bytearray(picture.tobytes("raw", _OPENCV_RAW_MODES[picture.mode]))
    channels = len(picture.getbands())
    shape = (picture.height, picture.width, channels)[: 2 if channels == 1 else 3]
    return np.frombuffer(pixels, dtype=np.uint8).reshape(shape)


def sendable(image: Image.Image, white: float | None = None) -> Image.Image:
    """The picture upright, in one of the modes L, RGB, LA and RGBA."""
    file_format = image.format  # lost when the picture is turned
    image = upright(image)
    try:
        if image.mode == "F" or image.mode.startswith("I"):
            return Image.fromarray(to_uint8(_deep_grey(image, file_format, white), white))
        mode = _sendable_mode(image)
        return image if image.mode == mode else image.convert(mode)
    except READ_ERRORS as error:
        raise EncodingError(
            f"A PIL image of mode {image.mode!r} cannot be read: {error}"
        ) from error


def _sendable_mode(image: Image.Image) -> str:
    if image.mode in ("L", "RGB", "LA", "RGBA"):
        return image.mode
    colours = "RGBA" if image.has_transparency_data else "RGB"
    return {"1": "L", "La": "LA"}.get(image.mode, colours)


def _deep_grey(image: Image.Image, file_format: str | None, white: float | None) -> NDArray[Any]:
    """Values of a picture of more than 8 bits a pixel, in a dtype that says their range."""
    values = np.asarray(image)
    if white is not None:
        return values
    if image.mode == "I" and file_format in ("PNG", "PPM"):
        return values.astype(np.uint16)  # so do PGM, and PNG in Pillow before 11, hold 16 bits
    if image.mode == "I":
        raise EncodingError(
            "A PIL image of mode 'I' leaves the range of its values open. Convert it: "
            "image.convert('L') where they are 0..255, image.convert('I;16') where 0..65535; or "
            "say which value is white: image_max_value."
        )
    if file_format == "PPM" and 1 < values.max() <= 255 and values.min() >= 0:
        return np.rint(values).astype(np.uint8)
    return values
