"""What parsed JSON is, in words: for errors about answers that are not what was agreed."""

from __future__ import annotations

from typing import Any

from inference_sdk.utils.shortening import shortened

_LONGEST_SHOWN = 60


def described(value: Any) -> str:
    """A value in the terms of JSON, in a few words.

    Example:
        >>> described([1, 2]), described("a cat"), described(None)
        ('a list of 2', "the text 'a cat'", 'null')
    """
    if isinstance(value, dict):
        return f"an object with the keys {shortened(', '.join(map(str, value)), _LONGEST_SHOWN)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the text {shortened(value, _LONGEST_SHOWN)!r}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"the number {shortened(_digits(value), _LONGEST_SHOWN)}"


def _digits(number: Any) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return "of thousands of digits"
