"""What the first bytes of a file say of it: a picture of which kind, or what else.

The one table of signatures. A look at it costs well under a microsecond, so whatever is about to
leave the machine as a picture is looked at, and whatever a server sent is decoded as what it says
it is and nothing else. Light: neither numpy nor Pillow is needed to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Union

Content = Union[bytes, bytearray, memoryview]

HEAD_BYTES = 512
"""Of a file: enough for every signature, and to see that a text is one."""


class PictureKind(NamedTuple):
    """A kind of picture, and the one decoder that may open it: Pillow's name, None without one.

    Pillow's own list is longer, and holds formats that start other programs (EPS: Ghostscript).
    """

    name: str
    decoder: str | None


_JPEG = PictureKind("JPEG", "JPEG")
_PNG = PictureKind("PNG", "PNG")
_GIF = PictureKind("GIF", "GIF")
_BMP = PictureKind("BMP", "BMP")
_TIFF = PictureKind("TIFF", "TIFF")
_PPM = PictureKind("PPM", "PPM")
_JPEG2000 = PictureKind("JPEG 2000", "JPEG2000")
AVIF = PictureKind("AVIF", "AVIF")
WEBP = PictureKind("WebP", "WEBP")
# Servers may read these; Pillow does not, without a package of its own.
_HEIF = PictureKind("HEIF", None)
_JPEG_XL = PictureKind("JPEG XL", None)
_EXR = PictureKind("OpenEXR", None)
_RADIANCE = PictureKind("Radiance HDR", None)
_SUN_RASTER = PictureKind("Sun raster", None)

_SIGNATURES: tuple[tuple[bytes, PictureKind], ...] = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG2000),
    (b"\xff\x4f\xff\x51", _JPEG2000),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (b"\xff\n", _JPEG_XL),
    (b"\x76\x2f\x31\x01", _EXR),
    (b"#?RADIANCE", _RADIANCE),
    (b"#?RGBE", _RADIANCE),
    (b"\x59\xa6\x6a\x95", _SUN_RASTER),
)

_NETPBM = re.compile(rb"P[1-7Ff][\s#]")
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

SENT_AS_THEY_ARE = frozenset({_JPEG, _PNG, _GIF, _BMP, _TIFF, _PPM, _JPEG2000, _HEIF, _JPEG_XL})
"""Kinds that need no second look: whatever servers read of them they turn upright themselves."""


def kind_of(content: Content) -> PictureKind | None:
    r"""The kind of picture that a file begins like; None when it begins like none.

    Example:
        >>> kind_of(b"\xff\xd8\xff\xe0").name
        'JPEG'
    """
    head = bytes(content[:HEAD_BYTES])
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    return _kind_by_structure(head)


def _kind_by_structure(head: bytes) -> PictureKind | None:
    """Kinds that a few fixed bytes do not tell."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _kind_by_brand(head)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return _BMP
    return _PPM if _NETPBM.match(head) else None


def _kind_by_brand(head: bytes) -> PictureKind | None:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[start : start + 4] for start in range(8, length, 4)]
    if b"avif" in brands or b"avis" in brands:
        return AVIF
    return _HEIF if any(brand in _HEIF_BRANDS for brand in brands[:1]) else None


# -- and where it is none ----------------------------------------------------------------------

_SPACE = b" \t\r\n\xef\xbb\xbf"

_OTHERS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda head: head.startswith(b"%PDF"), "a PDF"),
    (lambda head: head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")), "a PostScript drawing"),
    (lambda head: head.lower().startswith((b"<!doctype html", b"<html")), "an HTML page"),
    (lambda head: head.startswith(b"<") and b"<svg" in head.lower(), "an SVG drawing"),
    (lambda head: head.startswith(b"<?xml"), "XML"),
    (lambda head: head.startswith((b"{", b"[")), "JSON"),
    (lambda head: head[4:8] == b"ftyp", "a video (MP4)"),
    (lambda head: head[:4] == b"RIFF" and head[8:11] == b"AVI", "a video (AVI)"),
    (lambda head: head.startswith(b"\x1aE\xdf\xa3"), "a video (Matroska)"),
    (lambda head: head.startswith(b"PK\x03\x04"), "a ZIP archive"),
    (lambda head: head.startswith(b"\x1f\x8b"), "gzip data"),
    (lambda head: head.startswith(b"\x93NUMPY"), "a NumPy file"),
)
_REMEDIES = {
    "a PDF": " Render its pages to pictures first.",
    "a PostScript drawing": " Render it to a PNG first.",
    "an SVG drawing": " Render it to a PNG first.",
    "a NumPy file": " Pass the array: numpy.load(path).",
}


def what_it_is(content: Content) -> str:
    """What bytes that are no picture are, in words for an error, with the remedy where there is one.

    Example:
        >>> what_it_is(b"<!DOCTYPE html><title>Sign in</title>")
        'an HTML page, not a picture.'
    """
    head = bytes(content[:HEAD_BYTES]).lstrip(_SPACE)
    name = next((name for fits, name in _OTHERS if fits(head)), None)
    if name is None:
        name = "text" if head and _is_text(head) else "data of no known kind"
    remedy = _REMEDIES.get(name, "")
    if name.startswith("a video"):
        remedy = " Use infer_on_stream() for its frames."
    return f"{name}, not a picture.{remedy}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else only the last character is cut
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character.isspace() for character in text)
