"""Sync and async by one test body: a caller calls a method of the client, or its async twin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


class SyncCaller:
    """Calls the method itself."""

    name = "sync"

    def __call__(self, client: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(client, method)(*args, **kwargs)
        finally:
            client.close()


class AsyncCaller:
    """Calls the `_async` twin on an event loop of its own, as a program would with asyncio.run."""

    name = "async"

    def __call__(self, client: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        async def call() -> Any:
            return await getattr(client, f"{method}_async")(*args, **kwargs)

        return asyncio.run(call())


both_ways = pytest.mark.parametrize(
    "call", [SyncCaller(), AsyncCaller()], ids=lambda caller: caller.name
)
"""Runs a test with the sync and with the async form of each call."""
