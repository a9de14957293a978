"""Query parameters as text: what Python prints of them, as the servers expect (`True`, `0.5`)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from inference_sdk.http.errors import InvalidParameterError


def query_values(
    parameters: Mapping[str, Any] | None,
) -> dict[str, str | list[str]] | None:
    """Parameters with their values as text: None left out, a list as a repeated name.

    Raises:
        InvalidParameterError: a number is NaN or infinite.
    """
    if parameters is None:
        return None
    return {
        name: [_text(name, element) for element in value]
        if isinstance(value, (list, tuple))
        else _text(name, value)
        for name, value in parameters.items()
        if value is not None
    }


def _text(name: str, value: Any) -> str:
    if isinstance(value, float) and not isfinite(value):
        raise InvalidParameterError(f"{name} is {value}. Pass a finite number, or None.")
    return str(value)
