"""Many jobs, some at once, results in order: the bounded window that keeps memory flat.

A job is started as soon as there is room, never in batches: one slow job holds up nobody else.
Two numbers bound it: `concurrency` jobs run at once, and, where `window` is given, no more than
that many jobs have been taken from the source without their result having been handed on. So a
source of a million frames is read no faster than its results are used.

The module knows nothing of images or requests: a job is a callable (sync), or a callable that
gives something to await (async).
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


def stream(
    jobs: Iterable[Callable[[], T]],
    *,
    concurrency: int,
    window: int | None = None,
    ordered: bool = True,
) -> Iterator[T]:
    """Results of the jobs: in the order of the jobs, or as they come when not `ordered`.

    The first failing job ends the stream with its error; jobs not yet begun are dropped, jobs
    under way are waited for. One job at a time runs on the calling thread.
    """
    if concurrency <= 1:
        for job in jobs:
            yield job()
        return
    pending: list[Future[T]] = []
    executor = ThreadPoolExecutor(concurrency, thread_name_prefix="inference-sdk")
    try:
        for job in jobs:
            pending.append(executor.submit(copy_context().run, job))
            while _full(pending, window) or _ready(pending, ordered):
                yield _take(pending, ordered)
        while pending:
            yield _take(pending, ordered)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


async def stream_async(
    jobs: AsyncIterable[Callable[[], Awaitable[T]]],
    *,
    concurrency: int,
    window: int | None = None,
    ordered: bool = True,
) -> AsyncGenerator[T, None]:
    """The twin of `stream`, on tasks of the running loop; jobs under way are cancelled."""
    room = asyncio.Semaphore(max(concurrency, 1))

    async def work(job: Callable[[], Awaitable[T]]) -> T:
        async with room:
            return await job()

    pending: list[asyncio.Task[T]] = []
    try:
        async for job in jobs:
            pending.append(asyncio.create_task(work(job)))
            while _full(pending, window) or _ready(pending, ordered):
                yield await _take_async(pending, ordered)
        while pending:
            yield await _take_async(pending, ordered)
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


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
        while batch := await asyncio.to_thread(lambda: list(islice(iterator, 1))):
            yield batch[0]


Pending: TypeAlias = "list[Future[T]] | list[asyncio.Task[T]]"


def _full(pending: Pending[T], window: int | None) -> bool:
    return window is not None and len(pending) >= window


def _ready(pending: Pending[T], ordered: bool) -> bool:
    """Whether a result can be handed on without waiting."""
    considered: Iterable[Any] = pending[:1] if ordered else pending
    return any(job.done() for job in considered)


def _take(pending: list[Future[T]], ordered: bool) -> T:
    if not ordered:
        wait(pending, return_when=FIRST_COMPLETED)
    return pending.pop(_first(pending, ordered)).result()


async def _take_async(pending: list[asyncio.Task[T]], ordered: bool) -> T:
    if not ordered:
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    return await pending.pop(_first(pending, ordered))


def _first(pending: Sequence[Any], ordered: bool) -> int:
    return 0 if ordered else next(i for i, job in enumerate(pending) if job.done())
