"""Texts cut to a length that a person reads. Knows nothing of what they say."""

from __future__ import annotations

_GAP = " … "


def shortened(text: str, limit: int) -> str:
    """The text; of a longer one its beginning and its end, in `limit` characters.

    The end stays, since what to do is said there.
    """
    if len(text) <= limit:
        return text
    end = limit // 4
    return f"{text[: limit - end - len(_GAP)]}{_GAP}{text[-end:]}"
