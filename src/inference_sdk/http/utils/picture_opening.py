"""Picture files opened: by the decoder that their first bytes name, upright, and whole.

Pillow, left alone, tries every format that it knows on whatever it is given; one of them (EPS)
starts another program. What comes from outside (answers, messages, downloads, bytes of unknown
origin) is opened as one of the few kinds of `picture_kinds`; only a file that the caller names by
its path may be of another kind, and none is ever an EPS.

Which way is up: the orientation of EXIF (and of TIFF) counts, as it does for servers; that of XMP
does not. Measured with OpenCV 4.8, 4.11 and 5.0, which is what servers decode with: EXIF turns
JPEG, PNG and TIFF in all, WebP in 5.0 only, AVIF in none; XMP turns nothing in any.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.picture_kinds import AVIF, WEBP, Content, kind_of, what_it_is

# What Pillow's readers raise, beside OSError, on bytes that only begin like an image.
READ_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    EOFError,
    OverflowError,
    RuntimeError,  # of AVIF; NotImplementedError is one
    MemoryError,
    struct.error,
    zlib.error,
    binascii.Error,
    Image.DecompressionBombError,
    UserWarning,  # of corrupt metadata, where a program makes errors of warnings
    Image.DecompressionBombWarning,
)

_NEVER_OPENED = frozenset({"EPS"})
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
_SIDEWAYS = frozenset({5, 6, 7, 8})
_XMP = ("XML:com.adobe.xmp", "xmp")
_ORIENTED_METADATA = ("exif", "Raw profile type exif", *_XMP)
_MAY_BE_TURNED_UNSEEN = frozenset({WEBP, AVIF})


def bytes_to_pillow_image(payload: bytes) -> Image.Image:
    """Decode an image file: JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, PPM or JPEG 2000.

    Returns:
        The picture, upright, in the mode it is stored in; of an animation, the first.

    Raises:
        EncodingError: not such an image, cut short, or too large to be meant well (more than
            Pillow's `Image.MAX_IMAGE_PIXELS`, 89 million).
    """
    return upright(open_picture(payload))


def open_picture(payload: Content, *, own: bool = False) -> Image.Image:
    """Read the header of an image file; its pixels are decoded when they are used.

    Args:
        payload: content of the file.
        own: the caller named the file by its path: any kind that Pillow knows will do, but EPS,
            and twice as many pixels.

    Raises:
        EncodingError: see `bytes_to_pillow_image`.
    """
    formats = _formats(payload, own)
    try:
        image = Image.open(BytesIO(payload), formats=formats)
    except UnidentifiedImageError as error:  # its text names a buffer, which says nothing
        kind = kind_of(payload)
        like = "an image of any known kind" if kind is None else f"{kind.name}, as they begin"
        raise _undecodable(payload, f"as {like}.") from error
    except READ_ERRORS as error:
        raise _undecodable(payload, f"as an image: {error}") from error
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and not own and image.width * image.height > limit:
        size = f"{image.width}x{image.height}"
        raise _undecodable(payload, f"as an image: {size} pixels are more than {limit}.")
    return image


def can_be_opened(payload: Content) -> bool:
    """Whether Pillow knows a picture of the caller's own, of whatever kind it is."""
    try:
        open_picture(payload, own=True)
    except EncodingError:
        return False
    return True


def _formats(payload: Content, own: bool) -> list[str]:
    kind = kind_of(payload)
    Image.preinit()  # the most common; the others take 50 ms to load
    if kind is not None and kind.decoder in Image.OPEN:
        return [kind.decoder]
    if kind is not None or own:
        Image.init()
    if kind is not None and kind.decoder in Image.OPEN:
        return [kind.decoder]
    if own and (kind is None or kind.decoder is None):
        return [name for name in Image.OPEN if name not in _NEVER_OPENED]
    if kind is None:
        raise _undecodable(payload, f"as an image of any known kind: {what_it_is(payload)}")
    raise _undecodable(payload, f"as an image: no decoder for {kind.name} is installed.")


def _undecodable(payload: Content, rest: str) -> EncodingError:
    return EncodingError(f"These {len(payload)} bytes cannot be decoded {rest}")


def load(image: Image.Image) -> None:
    """Decode the pixels of a PIL image, if that has not happened yet.

    To be done before anything else: looking at the metadata of some files (PNG) decodes them too,
    and an error that is met there is not met again: what was decoded before it passes for all.

    Raises:
        EncodingError: the file is broken or cut short.
    """
    if not (image.width and image.height):
        raise EncodingError(f"A PIL image of size {image.size} has no pixels.")
    try:
        image.load()
    except READ_ERRORS as error:
        raise EncodingError(
            f"A PIL image of mode {image.mode!r} cannot be read: {error}"
        ) from error


def upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation means it; the same object when it is upright already.

    Raises:
        EncodingError: it cannot be decoded.
    """
    load(image)
    turn = _TURNS.get(_orientation(image))
    if turn is None:
        return image
    turned = image.transpose(turn)
    # Not ImageOps.exif_transpose: it writes the other tags anew, and fails on malformed ones.
    for key in _ORIENTED_METADATA:
        turned.info.pop(key, None)
    return turned


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of a picture once it is upright; mostly the header is enough to know."""
    if image.format in ("PNG", "TIFF"):  # the note may stand behind the pixels, or is obeyed there
        load(image)
    size = image.width, image.height
    return size[::-1] if _orientation(image) in _SIDEWAYS else size


def lies_unseen(payload: Content) -> bool:
    """Whether a file is to be turned by a note that not every server looks at (WebP, AVIF)."""
    if kind_of(payload) not in _MAY_BE_TURNED_UNSEEN:
        return False
    try:
        return _orientation(open_picture(payload)) in _TURNS
    except EncodingError:  # too large or broken: for the server to say
        return False


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
        if value != 1 and any(key in image.info for key in _XMP) and not _stands_in_exif(image):
            return 1
        return int(value)
    except READ_ERRORS:
        return 1  # metadata that cannot be read says nothing, and the pixels are fine


def _stands_in_exif(image: Image.Image) -> bool:
    # Pillow fills a missing tag in from XMP.
    stored: Any = image.info.get("exif")
    if not isinstance(stored, bytes):
        return "Raw profile type exif" in image.info
    exif = Image.Exif()
    exif.load(stored)
    return _ORIENTATION_TAG in exif
