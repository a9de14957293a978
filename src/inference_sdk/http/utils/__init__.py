"""The documented helpers: images in, answers out, requests built. See each module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.utils.submodules import submodule

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        return submodule(__name__, name)
