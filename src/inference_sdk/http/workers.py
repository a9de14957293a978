"""Threads for work that blocks, which neither hold up the end of a program nor end before it.

Not `concurrent.futures.ThreadPoolExecutor`: the interpreter waits for its threads at exit, so that
a batch nobody waits for keeps a program alive; and it refuses work once the main thread has ended,
although other threads of the program go on. These are daemon threads: what they have not done when
the last thread of the program ends is dropped.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

MOST_BESIDE_LOOPS = 32
"""Threads at once that do the blocking work of event loops, as asyncio's own: files, codecs."""

GRACE = 1.0
"""Seconds in which threads that are asked to end do so. What takes longer, a codec or a name
server, ends by itself, and nobody waits for it."""

_Item = tuple["Future[Any]", Callable[[], Any]]


class Workers(Executor):
    """Carries out calls on daemon threads, which are started when there is work for them.

    Args:
        limit: says how many calls may run at once; asked again whenever one ends.
        linger: seconds that a thread without work waits for more; None waits for `close`.
    """

    def __init__(self, limit: Callable[[], int], *, linger: float | None = 0.0) -> None:
        self._limit = limit
        self._linger = linger
        self._process = os.getpid()
        # Reentrant: a collector that runs while it is held may close an abandoned stream.
        self._lock = threading.RLock()
        self._waiting: deque[_Item] = deque()
        self._handed: SimpleQueue[_Item | None] = SimpleQueue()
        self._threads: set[threading.Thread] = set()
        self._running = self._idle = 0

    @property
    def running(self) -> int:
        """How many calls are being carried out."""
        return self._running

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a call carried out as soon as there is room; its result, to be.

        Raises:
            RuntimeError: as of `require_own_process`.
        """
        self.require_own_process()
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((future, partial(fn, *args, **kwargs)))
            self._hand_out()
        return future

    def require_own_process(self) -> None:
        """Refuse to wait for threads that are not there.

        Raises:
            RuntimeError: this process was forked off; the threads are those of its parent.
        """
        if self._process != os.getpid():
            raise RuntimeError("Work that was begun in one process cannot go on in a fork of it.")

    def close(self, seconds: float = GRACE) -> None:
        """Drop what has not begun, and wait so long for the threads to end."""
        if self._process != os.getpid() or sys.is_finalizing():
            return  # there are no threads any more
        with self._lock:
            while self._waiting:
                self._waiting.popleft()[0].cancel()
            threads = self._threads - {threading.current_thread()}
            for _ in self._threads:
                self._handed.put(None)
        end = time.monotonic() + seconds
        for thread in threads:
            # Ctrl+C may have come while one was being started: it ends, but cannot be joined yet.
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def _hand_out(self) -> None:
        while self._waiting and self._running < self._limit():
            if self._idle == 0 and not self._start_thread():
                return
            self._idle -= 1
            self._running += 1
            self._handed.put(self._waiting.popleft())

    def _start_thread(self) -> bool:
        thread = threading.Thread(target=self._work, name="inference-sdk", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._threads.discard(thread)
            if not self._threads:
                raise
            return False  # the system has no more of them: those that there are do the work
        self._idle += 1
        return True

    def _work(self) -> None:
        while (item := self._next()) is not None:
            self._carry_out(*item)
            del item  # with it go its images, while this thread waits
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _next(self) -> _Item | None:
        try:
            return self._handed.get(timeout=self._linger)
        except Empty:
            pass
        with self._lock:
            if self._idle:
                self._idle -= 1
                return None
        return self._handed.get()  # handed out just now

    def _carry_out(self, future: Future[Any], call: Callable[[], Any]) -> None:
        report: Callable[[], None] | None = None
        try:
            if future.set_running_or_notify_cancel():
                report = partial(future.set_result, call())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
            report = partial(future.set_exception, error)
        with self._lock:
            self._running -= 1
            self._idle += 1
            self._hand_out()
        if report is not None:
            report()
        # The error's traceback holds this frame: without these it would hold itself.
        del future, call, report


_beside_loops = Workers(lambda: MOST_BESIDE_LOOPS)


def _renew_after_fork() -> None:
    global _beside_loops
    _beside_loops = Workers(lambda: MOST_BESIDE_LOOPS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)


async def beside_loop(call: Callable[[], T], workers: Workers | None = None) -> T:
    """The result of a call that blocks, made in a thread beside the running event loop.

    Whoever is cancelled meanwhile does not wait for its end.

    Args:
        workers: threads to use; None takes those that all loops share.
    """
    work = partial(copy_context().run, call)
    return await asyncio.get_running_loop().run_in_executor(workers or _beside_loops, work)
