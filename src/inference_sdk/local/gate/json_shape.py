"""How many values a JSON body has, and how deep: looked at before they become objects in memory.

A text of 90 MB may hold 45 million lists, which take 3 GB and ten seconds of the event loop.
"""

from __future__ import annotations

from typing import Any

from inference_sdk.local.faults import InvalidRequestError, TooLargeError
from inference_sdk.local.gate.limits import Limits


def require_few_values(payload: bytes, limits: Limits) -> None:
    """Check the number of values, which is at most that of the signs before them.

    Signs within texts count, too: base64 has none of them.

    Raises:
        TooLargeError: there are too many.
    """
    if len(payload) > limits.json_values:
        signs = payload.count(b",") + payload.count(b"[") + payload.count(b"{")
        if signs > limits.json_values:
            raise TooLargeError(
                f"The body has more than {limits.json_values} values (limit: json_values)."
            )


def require_flat(value: Any, limits: Limits) -> None:
    """Check how deep lists and objects are within each other, level by level.

    Raises:
        InvalidRequestError: too deep.
    """
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > limits.json_depth:
            raise InvalidRequestError.at(
                ("body",),
                "json_depth",
                f"The body is nested more than {limits.json_depth} levels deep (limit: json_depth)",
                None,
            )
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
