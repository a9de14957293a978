"""Waiting for no longer than some time."""

from __future__ import annotations

import asyncio

import pytest

from inference_sdk.utils.waiting import within


async def test_what_is_done_in_time_is_done() -> None:
    assert await within(5, asyncio.sleep(0))
    assert await within(None, asyncio.sleep(0))


async def test_what_takes_too_long_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    assert not await within(0.01, long())
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_what_is_raised_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("x")

    with pytest.raises(LookupError):
        await within(5, fail())


async def test_a_cancellation_that_comes_with_the_result_is_not_lost() -> None:
    """As when a client leaves: its track ends, which is waited for, and its stream is cancelled."""
    ended = asyncio.Event()
    task = asyncio.create_task(within(5, ended.wait()))
    await asyncio.sleep(0.01)
    ended.set()
    await asyncio.sleep(0)  # what is waited for is done; who waits has not heard of it
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
