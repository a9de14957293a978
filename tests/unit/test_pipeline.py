"""The bounded window: order, limits, failures; threads and tasks by the same tests."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_sdk.http import interruption, pipeline

Job = Callable[[], Any]


async def _awaited(jobs: Iterable[Job]) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    for job in jobs:

        async def work(job: Job = job) -> Any:
            await asyncio.sleep(0)
            return job()

        yield work


def stream_sync(jobs: Iterable[Job], **options: Any) -> Iterator[Any]:
    return pipeline.stream(jobs, **options)


def stream_async(jobs: Iterable[Job], **options: Any) -> Iterator[Any]:
    """The async form, asked for one result at a time."""
    loop = asyncio.new_event_loop()
    results = pipeline.stream_async(_awaited(jobs), **options)
    try:
        while True:
            try:
                yield loop.run_until_complete(results.__anext__())
            except StopAsyncIteration:
                return
    finally:
        loop.run_until_complete(results.aclose())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


both_streams = pytest.mark.parametrize("stream", [stream_sync, stream_async], ids=["sync", "async"])
Stream = Callable[..., Iterator[Any]]

sizes = st.integers(0, 12)
limits = st.integers(1, 5)
windows = st.none() | st.integers(1, 6)


def numbers(count: int) -> list[Job]:
    return [lambda i=i: i for i in range(count)]


@both_streams
@settings(max_examples=25)
@given(size=sizes, concurrency=limits, window=windows)
def test_results_come_in_the_order_of_the_jobs(
    stream: Stream, size: int, concurrency: int, window: int | None
) -> None:
    results = stream(numbers(size), concurrency=concurrency, window=window)
    assert list(results) == list(range(size))


@both_streams
@settings(max_examples=25)
@given(size=sizes, concurrency=limits, window=windows)
def test_as_they_come_all_come_once(
    stream: Stream, size: int, concurrency: int, window: int | None
) -> None:
    options = {"concurrency": concurrency, "window": window, "ordered": False}
    assert sorted(stream(numbers(size), **options)) == list(range(size))


@both_streams
@settings(max_examples=25)
@given(size=sizes, concurrency=limits, window=st.integers(1, 6), ordered=st.booleans())
def test_no_more_is_taken_than_the_window(
    stream: Stream, size: int, concurrency: int, window: int, ordered: bool
) -> None:
    taken = 0

    def source() -> Iterator[Job]:
        nonlocal taken
        for job in numbers(size):
            taken += 1
            yield job

    options = {"concurrency": concurrency, "window": window, "ordered": ordered}
    for handed_on, _ in enumerate(stream(source(), **options)):
        assert taken - handed_on <= window


@both_streams
@pytest.mark.parametrize("concurrency", [1, 3])
def test_the_first_failure_ends_it(stream: Stream, concurrency: int) -> None:
    def fail() -> None:
        raise LookupError("third")

    jobs = [*numbers(2), fail, *numbers(50)]
    results = []
    with pytest.raises(LookupError, match="third"):
        results.extend(stream(iter(jobs), concurrency=concurrency, window=3))
    assert results in ([], [0, 1])  # extend() loses what came before


@both_streams
@pytest.mark.parametrize("ordered", [True, False])
def test_nothing_begins_after_a_failure(stream: Stream, ordered: bool) -> None:
    begun: list[int] = []

    def fail() -> None:
        raise LookupError

    jobs = [fail, *[lambda i=i: begun.append(i) for i in range(5)]]
    with pytest.raises(LookupError):
        list(stream(jobs, concurrency=1, ordered=ordered))
    assert begun == []


@pytest.mark.parametrize("ordered", [True, False])
def test_nothing_begins_after_a_failure_in_another_thread(ordered: bool) -> None:
    begun: list[int] = []
    beside = threading.Event()

    def fail() -> None:
        assert beside.wait(10)
        raise LookupError

    def wait() -> None:
        beside.set()
        interruption.sleep(60)  # until it is cut

    jobs = [fail, wait, *[lambda i=i: begun.append(i) for i in range(5)]]
    with pytest.raises(LookupError):
        list(pipeline.stream(jobs, concurrency=2, ordered=ordered))
    assert begun == []


@both_streams
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_failing_source_is_the_callers(stream: Stream, concurrency: int) -> None:
    def source() -> Iterator[Job]:
        yield lambda: 1
        raise OSError("camera gone")

    with pytest.raises(OSError, match="camera gone"):
        list(stream(source(), concurrency=concurrency))


def test_ready_results_do_not_wait_for_the_source() -> None:
    """A live source: the result of one frame is there before the next but one is asked for."""
    asked_for = 0

    def camera() -> Iterator[Job]:
        nonlocal asked_for
        for i in range(4):
            asked_for, done = i, threading.Event()
            yield lambda i=i, done=done: done.set() or i
            assert done.wait(10)  # a result is ready long before the next frame
            time.sleep(0.01)

    results = pipeline.stream(camera(), concurrency=2, window=4)
    assert next(results) == 0
    assert asked_for <= 1
    assert list(results) == [1, 2, 3]


async def test_ready_results_do_not_wait_for_an_async_source() -> None:
    asked_for = 0

    async def camera() -> AsyncIterator[Callable[[], Awaitable[int]]]:
        nonlocal asked_for
        for i in range(4):
            asked_for, done = i, asyncio.Event()

            async def job(i: int = i, done: asyncio.Event = done) -> int:
                done.set()
                return i

            yield job
            await asyncio.wait_for(done.wait(), 10)
            await asyncio.sleep(0.01)

    results: Any = pipeline.stream_async(camera(), concurrency=2, window=4)
    assert await results.__anext__() == 0
    assert asked_for <= 1
    assert [result async for result in results] == [1, 2, 3]


@both_streams
@pytest.mark.parametrize("concurrency", [1, 2])
def test_closing_early(stream: Stream, concurrency: int) -> None:
    started: list[int] = []

    def jobs() -> Iterator[Job]:
        for i in range(10_000):
            yield lambda i=i: started.append(i) or i

    threads = threading.active_count()
    results: Any = stream(jobs(), concurrency=concurrency, window=4)
    assert next(results) == 0
    results.close()
    assert len(started) <= 5
    assert threading.active_count() == threads


def test_slow_jobs_hold_up_nobody_else() -> None:
    """While the first waits, all others of the window are done, by the other thread."""
    others = threading.Semaphore(0)

    def slow() -> str:
        for _ in range(5):
            assert others.acquire(timeout=10)
        return "slow"

    jobs: list[Job] = [slow, *[others.release] * 5]
    results = list(pipeline.stream(jobs, concurrency=2, window=6))
    assert results == ["slow", *[None] * 5]


async def test_slow_tasks_hold_up_nobody_else() -> None:
    others = asyncio.Semaphore(0)

    async def slow() -> str:
        for _ in range(5):
            await asyncio.wait_for(others.acquire(), 10)
        return "slow"

    async def quick() -> None:
        others.release()

    jobs = pipeline.as_async([slow, *[quick] * 5])
    results = [r async for r in pipeline.stream_async(jobs, concurrency=2, window=6)]
    assert results == ["slow", *[None] * 5]


def test_the_quickest_come_first() -> None:
    released = threading.Event()

    def slow() -> str:
        assert released.wait(10)
        return "slow"

    results = pipeline.stream(
        [slow, lambda: "quick", lambda: "quicker"], concurrency=2, window=3, ordered=False
    )
    assert {next(results), next(results)} == {"quick", "quicker"}
    released.set()
    assert list(results) == ["slow"]


async def test_the_quickest_tasks_come_first() -> None:
    released = asyncio.Event()

    async def slow() -> str:
        await asyncio.wait_for(released.wait(), 10)
        return "slow"

    async def quick() -> str:
        return "quick"

    results = []
    jobs = pipeline.as_async([slow, quick])
    async for result in pipeline.stream_async(jobs, concurrency=2, window=2, ordered=False):
        results.append(result)
        released.set()
    assert results == ["quick", "slow"]


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_no_more_at_once_than_allowed(concurrency: int) -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def job() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.005)
        with lock:
            at_once -= 1

    list(pipeline.stream([job] * 20, concurrency=concurrency))
    assert most == concurrency


@pytest.mark.parametrize("concurrency", [1, 2, 5])
async def test_no_more_tasks_at_once_than_allowed(concurrency: int) -> None:
    at_once = most = 0

    async def job() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.002)
        at_once -= 1

    jobs = pipeline.as_async([job] * 20)
    assert len([r async for r in pipeline.stream_async(jobs, concurrency=concurrency)]) == 20
    assert most == concurrency


async def test_closing_early_cancels_the_tasks_under_way() -> None:
    cancelled = 0

    async def wait() -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise

    async def quick() -> int:
        await asyncio.sleep(0)
        return 1

    results: Any = pipeline.stream_async(
        pipeline.as_async([quick, wait, wait, wait]), concurrency=3, window=3
    )
    assert await results.__anext__() == 1
    await asyncio.sleep(0)
    await results.aclose()
    assert cancelled == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


@both_streams
@pytest.mark.parametrize("concurrency", [1, 3])
def test_context_variables_reach_the_jobs(stream: Stream, concurrency: int) -> None:
    token = VARIABLE.set("mine")
    try:
        assert list(stream([VARIABLE.get] * 4, concurrency=concurrency)) == ["mine"] * 4
    finally:
        VARIABLE.reset(token)


# -- iterables as async ones -----------------------------------------------------------------------


async def _some() -> AsyncIterator[int]:
    yield 1
    yield 2


@pytest.mark.parametrize(
    "items",
    [[1, 2], (1, 2), iter([1, 2]), {1: "a", 2: "b"}, (i for i in (1, 2)), _some()],
    ids=lambda items: type(items).__name__,
)
async def test_anything_is_async(items: Any) -> None:
    assert [item async for item in pipeline.as_async(items)] == [1, 2]


async def test_a_source_that_blocks_does_not_hold_up_the_loop() -> None:
    """It waits for what only the loop can give."""
    frame = threading.Event()

    def camera() -> Iterator[str]:
        assert frame.wait(10)
        yield "frame"

    asyncio.get_running_loop().call_soon(frame.set)
    assert [item async for item in pipeline.as_async(camera())] == ["frame"]


async def test_a_source_that_fails() -> None:
    def camera() -> Iterator[str]:
        yield "frame"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        _ = [item async for item in pipeline.as_async(camera())]
