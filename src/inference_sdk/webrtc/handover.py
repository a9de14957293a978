"""Passing items from the thread that produces them to the one that uses them.

A hand-over is bounded in one of two ways. A live one drops the oldest item when it is full: the
newest wins. A lossless one never drops; whoever feeds it asks `wait_for_room` before it lets the
other side produce more. In both, the end of the stream is a state and not an item: it can
neither be dropped nor wait behind a full queue. Knows nothing of what the items are.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic, Optional, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class EndOfStream(Exception):
    """The stream ended in order, and everything that came was taken."""


class Handover(Generic[T]):
    """A queue between threads, or between a thread and a coroutine.

    Args:
        capacity: items that may wait.
        lossless: whether a full queue keeps all, rather than drop the oldest. May be set until
            the first item comes.
        on_drop: called, without arguments, for each item dropped.
    """

    def __init__(
        self,
        capacity: int,
        *,
        lossless: bool = False,
        on_drop: Callable[[], object] = lambda: None,
    ) -> None:
        self._capacity = capacity
        self.lossless = lossless
        self._on_drop = on_drop
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []
        self._ended = False
        self._closed = False
        self._error: Optional[BaseException] = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item, never waiting. After the end it is ignored."""
        with self._change():
            if self._ended or self._closed:
                return
            self._items.append(item)
            dropped = len(self._items) > self._capacity and not self.lossless
            if dropped:
                self._items.popleft()
        if dropped:
            self._on_drop()

    def finish(self, error: Optional[BaseException] = None) -> None:
        """End the stream: what waits is still handed out, then the error, if any, is raised.

        The first end counts; later ones are ignored.
        """
        with self._change():
            if not self._ended:
                self._ended, self._error = True, error

    def close(self) -> None:
        """End at once: what waits is dropped, and whoever waits is woken."""
        with self._change():
            self._ended = self._closed = True
            self._items.clear()

    def get(self, timeout: Optional[float] = None) -> T:
        """Take the next item, waiting for it.

        Raises:
            EndOfStream: the stream ended, or the hand-over was closed.
            TimeoutError: nothing came within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._ready():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            item = self._take()
        self._wake()
        return item

    async def get_async(self) -> T:
        """As `get`, without blocking the event loop. Safe to cancel: no item is lost."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        while True:
            with self._changed:
                if self._ready():
                    item = self._take()
                    break
                woken.clear()
                self._wakers.append(wake)
            try:
                await woken.wait()
            finally:
                with self._changed:
                    self._wakers.remove(wake)
        self._wake()
        return item

    def wait_for_room(self) -> None:
        """Wait until one more item fits; return at once after the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._items) < self._capacity)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            yield
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
            wakers = list(self._wakers)
        for wake in wakers:
            with suppress(RuntimeError):  # the loop of whoever waited is gone, and so is the waiter
                wake()

    def _ready(self) -> bool:
        return bool(self._items) or self._ended

    def _take(self) -> T:
        if self._items:
            return self._items.popleft()
        if self._error is not None and not self._closed:
            raise self._error.with_traceback(None)
        raise EndOfStream
