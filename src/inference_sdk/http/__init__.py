"""The HTTP client: sync and async calls to an inference server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.utils.submodules import submodule

if not TYPE_CHECKING:  # else every misspelled name would look right to type checkers

    def __getattr__(name: str) -> Any:
        return submodule(__name__, name)
