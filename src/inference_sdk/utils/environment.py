"""Reading settings from the process environment. Knows nothing of what they are for.

No value of a variable keeps a program from starting: one that cannot be used is named in a
warning, with what holds in its place, and an empty one counts as not set.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable
from typing import Optional, TypeVar, Union

T = TypeVar("T")

_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def str2bool(value: Union[str, bool]) -> bool:
    """Read a flag: a bool passes, "true" and "false" count in any case.

    Raises:
        ValueError: the value is neither, so a typo never switches a feature silently.
    """
    if isinstance(value, bool):
        return value
    flag = {"true": True, "false": False}.get(str(value).strip().lower())
    if flag is None:
        raise ValueError(f"Expected a boolean ('true' or 'false'), got {value!r}.")
    return flag


def flag(name: str, default: bool, *, unclear: Optional[bool] = None) -> bool:
    """Value of a boolean variable: "true", "1", "false" or "0", in any case.

    Args:
        name: of the variable.
        default: where it is not set.
        unclear: where it is set to something else; `default` unless given. What guards
            something names the side that keeps the guard up.
    """
    in_doubt = default if unclear is None else unclear
    return _read(name, default, in_doubt, lambda text: _FLAGS[text.lower()], "true or false")


def seconds(name: str, default: float) -> float:
    """Value of a variable that holds seconds, 0 or more."""
    return _read(name, default, default, _duration, "a number of seconds, 0 or more")


def whole_number(name: str, default: int, *, least: int = 1) -> int:
    """Value of a variable that holds a whole number, `least` or more."""

    def parse(text: str) -> int:
        number = int(text)
        if number < least:
            raise ValueError
        return number

    return _read(name, default, default, parse, f"a whole number, {least} or more")


def header_name(name: str, default: str) -> str:
    """Value of a variable that names a header."""

    def parse(text: str) -> str:
        if _HEADER_NAME.fullmatch(text) is None:
            raise ValueError
        return text

    return _read(name, default, default, parse, "the name of a header")


def comma_separated(name: str) -> frozenset[str]:
    """Entries of the environment variable `name`, stripped; empty when it is not set."""
    entries = (entry.strip() for entry in os.environ.get(name, "").split(","))
    return frozenset(entry for entry in entries if entry)


def _duration(text: str) -> float:
    number = float(text)
    if math.isnan(number) or number < 0:
        raise ValueError
    return number


def _read(name: str, default: T, in_doubt: T, parse: Callable[[str], T], expected: str) -> T:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError):
        message = f"{name}={text!r} is not {expected}; {in_doubt!r} is used."
    warnings.warn(message, UserWarning, stacklevel=3)
    return in_doubt
