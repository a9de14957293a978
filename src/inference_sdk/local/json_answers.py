"""Answers in JSON, whatever a user's model put into them.

Most are JSON at once. One that is not is gone through: arrays of any layout, numpy's scalars, sets,
tuples, keys that are numbers become what JSON has for them; the first value that has no such form
is told, with its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import Enum
from pathlib import Path
from typing import Any

import orjson

from inference_sdk.local.faults import UnspeakableAnswerError

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS

DEEPEST = 200
"""Lists and dicts within each other; whoever goes deeper goes in circles."""


def to_json(answer: Any) -> bytes:
    """The answer as JSON; NaN and infinite numbers become null.

    Raises:
        UnspeakableAnswerError: it holds what JSON has no form for; says where.
    """
    try:
        return orjson.dumps(answer, option=OPTIONS)
    except TypeError:
        return orjson.dumps(_plain(answer, "", 0), option=OPTIONS)


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise UnspeakableAnswerError(f"A model's answer has more than {DEEPEST} levels at {place}.")
    if value is None or isinstance(value, (bool, float, str)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else float(value)
    if isinstance(value, Mapping):
        return {
            str(key): _plain(item, f"{place}.{key}" if place else str(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, Set)):
        return [_plain(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, Enum):
        return _plain(value.value, place, depth + 1)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # an array or a scalar of numpy, or of what is like it
        return _plain(value.tolist(), place, depth + 1)
    raise UnspeakableAnswerError(
        f"A model's answer cannot be sent: {place or 'it'} is a {type(value).__name__}, which JSON "
        "has no form for. Give numbers, texts, lists and dicts, or arrays of numpy."
    )
