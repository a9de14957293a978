"""What stands before every route: who may ask, from where, with how much, and how slowly.

Each module holds one question; `gate_of` puts them into the order in which they are asked: what
costs nothing first, and nothing is read for whom it is not meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inference_sdk.local.gate.bodies import Bodies
from inference_sdk.local.gate.keys import key_check
from inference_sdk.local.gate.limits import Limits
from inference_sdk.local.gate.origins import Origins

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

__all__ = ["Limits", "Origins", "gate_of"]


def gate_of(origins: Origins, api_key: str | None, limits: Limits) -> Sequence[Middleware]:
    """Middlewares, the outermost first.

    Raises:
        ValueError: the key is empty.
    """
    bodies = Bodies(limits)
    key = () if api_key is None else (key_check(api_key),)
    return (origins.middleware(), bodies.middleware(), *key)
