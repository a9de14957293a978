"""Colours as specifications write them."""

from __future__ import annotations

import re
from typing import Any

Colour = tuple[int, int, int]


def rgb_of(value: Any) -> Colour:
    """Red, green, blue of "#rrggbb", "#rgb", "rgb(r, g, b)", "bgr(b, g, r)", "(r, g, b)", a name
    in any case, or three numbers.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, (list, tuple)) and len(value) == 3:
        return _in_range(value, [int(part) for part in value])
    text = str(value).strip()
    found = re.fullmatch(r"(rgb|bgr)?\s*\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", text.lower())
    if found:
        parts = [int(part) for part in found.groups()[1:]]
        return _in_range(value, parts[::-1] if found[1] == "bgr" else parts)
    from PIL import ImageColor

    try:
        red, green, blue, *_ = ImageColor.getrgb(text)
    except ValueError:
        raise _no_colour(value) from None
    return red, green, blue


def bgr_of(value: Any) -> Colour:
    """The same in OpenCV's order."""
    red, green, blue = rgb_of(value)
    return blue, green, red


def _in_range(value: Any, parts: list[int]) -> Colour:
    if not all(0 <= part <= 255 for part in parts):
        raise _no_colour(value)
    red, green, blue = parts
    return red, green, blue


def _no_colour(value: Any) -> ValueError:
    return ValueError(
        f'{value!r} is no colour: write "#ff8000", "rgb(255, 128, 0)", "bgr(0, 128, 255)" or a name.'
    )
