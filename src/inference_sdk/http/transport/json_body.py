"""JSON bodies: what callers have in hand (numpy, dates, paths, enums), or a refusal by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import orjson

from inference_sdk.http.errors import InvalidParameterError

_PLAIN = frozenset({str, int, bool, type(None)})
"""Types that need no look: most of a payload, and the pictures in it."""

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def encode_json(payload: Any) -> bytes:
    """JSON of a payload, as UTF-8.

    Beside JSON's own types: numpy scalars and arrays (as nested lists), dates and times (ISO
    8601), paths (as text), enums (as their values), UUIDs, dataclasses, sets (as lists).

    Raises:
        InvalidParameterError: a value is none of these, or NaN or infinite; the message says
            where it is.
    """
    odd = _first(_odd_numbers(payload, ""))
    if odd is not None:  # orjson would write null, and the server would take its default
        raise InvalidParameterError(
            f"{odd}, which JSON has no number for. Pass a finite one, or None."
        )
    try:
        return orjson.dumps(payload, _convert, _OPTIONS)
    except TypeError as error:
        place = _first(_unserialisable(payload, ""))
        raise InvalidParameterError(
            f"{place or 'The request'} cannot be sent as JSON: {error}. Convert it to plain "
            "numbers, text, lists or dicts first."
        ) from error


def _odd_numbers(value: Any, place: str) -> Iterator[str]:
    """Sentences, as `inputs.limit is nan`, on what is NaN or infinite. Of arrays, the whole is looked at."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) not in _PLAIN:
                yield from _odd_numbers(item, f"{place}.{key}" if place else str(key))
    elif kind is list or kind is tuple:
        for index, item in enumerate(value):
            if type(item) not in _PLAIN:
                yield from _odd_numbers(item, f"{place}[{index}]")
    elif isinstance(value, float):
        if not isfinite(value):
            yield f"{place or 'The request'} is {value}"
    elif getattr(getattr(value, "dtype", None), "kind", "") == "f" and not _all_finite(value):
        yield f"{place or 'The request'} holds NaN or infinity"


def _all_finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())


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


def _first(found: Iterator[str]) -> str | None:
    try:
        return next(found, None)
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
