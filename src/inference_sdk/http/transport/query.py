"""Query parameters as text: what Python prints of them, as the servers expect (`True`, `0.5`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def query_values(
    parameters: Mapping[str, Any] | None,
) -> dict[str, str | list[str]] | None:
    """Parameters with their values as text: None left out, a list as a repeated name."""
    if parameters is None:
        return None
    return {
        name: [str(element) for element in value]
        if isinstance(value, (list, tuple))
        else str(value)
        for name, value in parameters.items()
        if value is not None
    }
