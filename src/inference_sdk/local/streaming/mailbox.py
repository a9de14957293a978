"""Handing items from producers, in the event loop or in threads, to one consumer in the loop.

The only queue between a video source and its processing. It holds a fixed number of items, and a
full one drops the oldest; items that waited for too long give way to newer ones, so that a burst is
worked off while a backlog does not build up. The end, or the error that caused it, is kept apart
from the items, so that it is never dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Optional, TypeVar

T = TypeVar("T")

LIVE_PATIENCE = 0.1
"""Seconds that a frame of a live stream may wait, wherever it does, while there is a newer one."""


class Mailbox(Generic[T]):
    """Made in the event loop that takes the items out, as `async for item in mailbox`.

    Args:
        size: items that may wait.
        patience: seconds that an item may wait while there is a newer one.
    """

    def __init__(self, size: int = 1, patience: float = math.inf) -> None:
        self._items: deque[tuple[T, float]] = deque(maxlen=size)
        self._patience = patience
        self._changed = asyncio.Event()
        self._ended = False
        self._error: Optional[Exception] = None
        self._loop = asyncio.get_running_loop()

    def put(self, item: T) -> None:
        """Add an item, in the event loop."""
        self._items.append((item, time.monotonic()))
        self._changed.set()

    def end(self, error: Optional[Exception] = None) -> None:
        """Say that nothing more comes, in the event loop; `error` is raised after the last item."""
        self._ended = True
        self._error = self._error or error
        self._changed.set()

    def put_from_thread(self, item: T) -> None:
        """Add an item, from another thread."""
        self._call(self.put, item)

    def end_from_thread(self, error: Optional[Exception] = None) -> None:
        """Say that nothing more comes, from another thread."""
        self._call(self.end, error)

    def _call(self, function: Callable[[Any], None], argument: Any) -> None:
        # A loop that was closed meanwhile has nobody left who waits for the item.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, argument)

    def __aiter__(self) -> Mailbox[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._ended:
                raise self._error or StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        oldest_wanted = time.monotonic() - self._patience
        while len(self._items) > 1 and self._items[0][1] < oldest_wanted:
            self._items.popleft()
        return self._items.popleft()[0]
