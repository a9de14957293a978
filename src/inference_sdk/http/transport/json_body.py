"""JSON bodies: what callers have in hand (numpy, dates, paths, enums), or a refusal by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from inference_sdk.http.errors import InvalidParameterError

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def encode_json(payload: Any) -> bytes:
    """JSON of a payload, as UTF-8.

    Beside JSON's own types: numpy scalars and arrays (as nested lists), dates and times (ISO
    8601), paths (as text), enums (as their values), UUIDs, dataclasses, sets (as lists).

    Raises:
        InvalidParameterError: a value is none of these; the message says where it is.
    """
    try:
        return orjson.dumps(payload, _convert, _OPTIONS)
    except TypeError as error:
        place = _first_unserialisable(payload)
        raise InvalidParameterError(
            f"{place or 'The request'} cannot be sent as JSON: {error}. Convert it to plain "
            "numbers, text, lists or dicts first."
        ) from error


def _convert(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (set, frozenset, tuple)):  # named tuples: plain ones never come here
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # arrays that are not contiguous, scalars of odd types
        return value.tolist()
    raise TypeError(f"type {type(value).__name__} is not supported")


def _first_unserialisable(payload: Any) -> str | None:
    try:
        return next(_unserialisable(payload, ""), None)
    except RecursionError:  # nested too deeply, or holding itself: so says orjson's own message
        return None


def _unserialisable(value: Any, place: str) -> Iterator[str]:
    """Places, as `inputs.region[2]`, of the values that stop a payload from being JSON."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unserialisable(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _unserialisable(item, f"{place}[{index}]")
    else:
        try:
            orjson.dumps(value, _convert, _OPTIONS)
        except TypeError:
            yield f"{place} (a {type(value).__name__})"
