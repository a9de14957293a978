"""Many jobs, some at once, results in order: the bounded window that keeps memory flat.

A job is started as soon as there is room, never in batches: one slow job holds up nobody else.
Two numbers bound it: `concurrency` jobs run at once (or as many as a `Limit` says, which may
change while they run), and, where `window` is given, no more than
that many jobs have been taken from the source without their result having been handed on. So a
source of a million frames is read no faster than its results are used.

The module knows nothing of images or requests: a job is a callable (sync), or a callable that
gives something to await (async).
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import Any, Protocol, TypeAlias, TypeVar

from inference_sdk.http.interruption import Cut, Scope, ended_by
from inference_sdk.http.workers import Workers, beside_loop

T = TypeVar("T")


class Limit(Protocol):
    """How many jobs run at once, where that may change while they run. Shared between threads."""

    @property
    def limit(self) -> int:
        """1 or more."""

    def begin(self, running: int) -> Any:
        """A job starts, with which `running` jobs run; what is returned goes to `end`."""

    def end(self, slot: Any, *, counts: bool = True) -> None:
        """The job ended; `counts` is false where it failed."""


class FixedLimit:
    """A `Limit` that stays what it is."""

    def __init__(self, limit: int) -> None:
        self.limit = max(1, limit)

    def begin(self, running: int) -> None:
        """Nothing follows from it."""

    def end(self, slot: None, *, counts: bool = True) -> None:
        """Nothing follows from it."""


def stream(
    jobs: Iterable[Callable[[], T]],
    *,
    concurrency: int | Limit,
    window: int | Limit | None = None,
    ordered: bool = True,
) -> Iterator[T]:
    """Results of the jobs: in the order of the jobs, or as they come when not `ordered`.

    The first failing job ends the stream with its error; none begins after it. Whenever the stream
    ends, or is closed, jobs not yet begun are dropped, and those under way are cut. One job at a time runs on the calling
    thread.
    """
    if isinstance(concurrency, int):
        if concurrency <= 1:
            for job in jobs:
                yield job()
            return
        concurrency = FixedLimit(concurrency)
    pending: list[Future[T]] = []
    with _crew(concurrency) as crew:
        for job in jobs:
            pending.append(crew.submit(job))
            while _full(pending, window) or _ready(pending, ordered):
                yield crew.take(pending, ordered)
        while pending:
            yield crew.take(pending, ordered)


class _Crew:
    """The threads of one stream."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._workers = Workers(lambda: limit.limit, linger=None)
        self._submitted = 0
        self._failed = sys.maxsize
        self.scope = Scope()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        self._submitted += 1
        work = partial(self._carry_out, job, self._submitted)
        return self._workers.submit(partial(copy_context().run, self.scope.run, work))

    def take(self, pending: list[Future[T]], ordered: bool) -> T:
        self._workers.require_own_process()
        if not ordered:
            wait(pending, return_when=FIRST_COMPLETED)
        return pending.pop(_first(pending, ordered)).result()

    def disband(self) -> None:
        self.scope.cut()
        self._workers.close()

    def _carry_out(self, job: Callable[[], T], number: int) -> T:
        if number > self._failed:  # nobody takes its result: the stream ends with that failure
            self.scope.is_cut.wait()
            raise Cut
        slot = self._limit.begin(self._workers.running)
        try:
            result = job()
        except BaseException:
            self._failed = min(self._failed, number)
            self._limit.end(slot, counts=False)
            raise
        self._limit.end(slot)
        return result


@contextmanager
def _crew(limit: Limit) -> Generator[_Crew, None, None]:
    crew = _Crew(limit)
    # A stream that is part of a job of another one is cut with that job.
    with ended_by(crew.scope.cut):
        try:
            yield crew
        finally:
            crew.disband()


class stream_async(AsyncIterator[T]):  # noqa: N801 - called like the function that it twins
    """The twin of `stream`, on tasks of the running loop; jobs under way are cancelled.

    No generator: a loop that shuts down closes all of those at once, and one that waits for its
    tasks to end cannot be closed a second time by the generator around it.
    """

    def __init__(
        self,
        jobs: AsyncIterable[Callable[[], Awaitable[T]]],
        *,
        concurrency: int | Limit,
        window: int | Limit | None = None,
        ordered: bool = True,
    ) -> None:
        limit = FixedLimit(concurrency) if isinstance(concurrency, int) else concurrency
        self._room = _Room(limit)
        self._jobs: AsyncIterator[Callable[[], Awaitable[T]]] | None = aiter(jobs)
        self._window = window
        self._ordered = ordered
        self._pending: list[asyncio.Task[T]] = []

    async def __anext__(self) -> T:
        try:
            return await self._next()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Begin nothing more, and cancel what is under way."""
        self._jobs = None
        pending, self._pending = self._pending, []
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def _next(self) -> T:
        while self._jobs is not None and not self._has_to_give():
            try:
                job = await anext(self._jobs)
            except StopAsyncIteration:
                self._jobs = None
            else:
                self._pending.append(asyncio.create_task(self._room.work(job)))
        if not self._pending:
            raise StopAsyncIteration
        return await _take_async(self._pending, self._ordered)

    def _has_to_give(self) -> bool:
        return _full(self._pending, self._window) or _ready(self._pending, self._ordered)


class _Room:
    """The tasks of one stream: those at work, and those that wait for their turn."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._running = 0
        self._failed = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def work(self, job: Callable[[], Awaitable[T]]) -> T:
        await self._enter()
        slot = self._limit.begin(self._running)
        try:
            result = await job()
        except BaseException:
            self._failed = True  # the stream ends with it: who waits now is behind it
            self._limit.end(slot, counts=False)
            raise
        else:
            self._limit.end(slot)
            return result
        finally:
            self._leave()

    async def _enter(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come all the same
                self._leave()
            raise

    def _leave(self) -> None:
        self._running -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and not self._failed and self._running < self._limit.limit:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self._running += 1
                turn.set_result(None)


async def as_async(items: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    """Any iterable as an async one.

    A list is walked in place. Any other sync iterable may block while it makes its next item (a
    camera, a decoder), so it is asked for it in a thread beside the event loop.
    """
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    elif isinstance(items, (list, tuple)):
        for item in items:
            yield item
    else:
        iterator = iter(items)
        # A thread of its own: it may block for ever, and others shall not wait for it.
        threads = Workers(lambda: 1)
        while batch := await beside_loop(lambda: list(islice(iterator, 1)), threads):
            yield batch[0]


Pending: TypeAlias = "list[Future[T]] | list[asyncio.Task[T]]"


def _full(pending: Pending[T], window: int | Limit | None) -> bool:
    if window is None:
        return False
    return len(pending) >= (window if isinstance(window, int) else window.limit)


def _ready(pending: Pending[T], ordered: bool) -> bool:
    """Whether a result can be handed on without waiting."""
    considered: Iterable[Any] = pending[:1] if ordered else pending
    return any(job.done() for job in considered)


async def _take_async(pending: list[asyncio.Task[T]], ordered: bool) -> T:
    if not ordered:
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    return await pending.pop(_first(pending, ordered))


def _first(pending: Sequence[Any], ordered: bool) -> int:
    return 0 if ordered else next(i for i, job in enumerate(pending) if job.done())
