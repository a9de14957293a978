"""What an input is, as far as that can be told by looking at it, and how an error names it."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from inference_sdk.http.utils.file_reading import LONGEST_PATH, REGULAR, shown, what_is_there
from inference_sdk.http.utils.requests import deduct_api_key_from_string, shown_url

LONGEST_SUFFIX = 5

SHOWN_OF_TEXT = 24
"""Characters of a text that is no file, in a message."""

# Base64 has no dot: text that ends like this is the name of a file that is not there.
_FILE_NAME = re.compile(
    r"\.(bmp|dib|gif|jfif|jp2|jpe|jpe?g|png|tiff?|webp|heic|avif)$", re.IGNORECASE
)


def uri_is_http_link(uri: str) -> bool:
    """Whether a text is an http(s) URL rather than a path or base64; white space before it is
    passed over, as lists of URLs have it.
    """
    return uri[:80].lstrip()[:8].lower().startswith(("http://", "https://"))


def is_file(reference: str) -> bool:
    return what_is_there(reference) == REGULAR


def looks_like_file_name(reference: str) -> bool:
    return _FILE_NAME.search(reference[-LONGEST_SUFFIX:]) is not None  # base64 may have megabytes


def is_array(reference: Any) -> bool:
    return hasattr(reference, "__array__") or hasattr(reference, "__array_interface__")


def is_pillow_image(reference: Any) -> bool:
    # Whoever holds a PIL image has imported PIL; there is no need to do so to find out.
    # Another thread may be importing it just now: then the class is not there, nor an image of it.
    image_class = getattr(sys.modules.get("PIL.Image"), "Image", None)
    return image_class is not None and isinstance(reference, image_class)


def describe(reference: Any) -> str:
    """A name for an input that is short, and shows no secret of a signed URL."""
    if isinstance(reference, str):
        return _describe_text(reference)
    if isinstance(reference, os.PathLike):
        return shown(os.fsdecode(reference))
    if isinstance(reference, memoryview):
        return f"{reference.nbytes} bytes"
    if isinstance(reference, (bytes, bytearray)):
        return f"{len(reference)} bytes"
    name = getattr(reference, "name", None)
    if hasattr(reference, "read") and isinstance(name, str):
        return shown(name)  # of an open file
    shape = getattr(reference, "shape", None) or getattr(reference, "size", None)
    kind = type(reference).__name__
    return f"{kind} of shape {shape}" if isinstance(shape, tuple) else f"a {kind}"


def _describe_text(text: str) -> str:
    if uri_is_http_link(text):
        return shown_url(text)
    if looks_like_file_name(text) or what_is_there(text) is not None:
        return shown(text)
    beginning = deduct_api_key_from_string(text[:LONGEST_PATH])[:SHOWN_OF_TEXT]
    cut = "…" if len(text) > SHOWN_OF_TEXT else ""
    return f"text of {len(text)} characters ({beginning!r}{cut})"
