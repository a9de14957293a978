"""The queue between threads: who gets what, and what can never be lost."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.webrtc.handover import EndOfStream, Handover


def drain(handover):
    taken = []
    while True:
        try:
            taken.append(handover.get(timeout=5))
        except EndOfStream:
            return taken


def test_live_drops_the_oldest_and_counts_it():
    dropped = []
    handover = Handover(3, on_drop=lambda: dropped.append(1))
    for number in range(10):
        handover.put(number)
    handover.finish()
    assert drain(handover) == [7, 8, 9]
    assert len(dropped) == 7


def test_lossless_keeps_all_beyond_its_capacity():
    handover = Handover(3, lossless=True)
    for number in range(10):
        handover.put(number)
    handover.finish()
    assert len(handover) == 10
    assert drain(handover) == list(range(10))


def test_the_end_and_its_error_come_after_a_full_queue():
    handover = Handover(2)
    for number in range(5):
        handover.put(number)
    handover.finish(ConnectionError("gone"))
    handover.finish(ValueError("too late to count"))
    handover.put("after the end")
    assert [handover.get(), handover.get()] == [3, 4]
    for _ in range(2):
        with pytest.raises(ConnectionError, match="gone"):
            handover.get()


def test_close_drops_what_waits_and_the_error_too():
    handover = Handover(2)
    handover.put(1)
    handover.finish(ConnectionError())
    handover.close()
    handover.put(2)
    with pytest.raises(EndOfStream):
        handover.get()


def test_get_gives_up_in_time():
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        Handover(1).get(timeout=0.05)
    assert 0.04 < time.monotonic() - begun < 2


@pytest.mark.parametrize("end", ["close", "finish"])
def test_an_end_wakes_all_who_wait(end):
    handover = Handover(1)
    ended = []

    def reader():
        with pytest.raises(EndOfStream):
            handover.get()
        ended.append(1)

    readers = [threading.Thread(target=reader) for _ in range(3)]
    for thread in readers:
        thread.start()
    getattr(handover, end)()
    for thread in readers:
        thread.join(5)
    assert len(ended) == 3


def test_room_is_waited_for_until_there_is_some():
    handover = Handover(1, lossless=True)
    handover.wait_for_room()
    handover.put(1)
    waited = threading.Event()
    thread = threading.Thread(target=lambda: (handover.wait_for_room(), waited.set()))
    thread.start()
    assert not waited.wait(0.05)
    handover.get()
    assert waited.wait(5)
    thread.join(5)


def test_nobody_waits_for_room_after_the_end():
    handover = Handover(1, lossless=True)
    handover.put(1)
    handover.finish()
    handover.wait_for_room()


async def test_async_get_is_woken_by_a_thread():
    handover = Handover(4)
    thread = threading.Timer(0.02, lambda: (handover.put("x"), handover.finish()))
    thread.start()
    assert await asyncio.wait_for(handover.get_async(), 5) == "x"
    with pytest.raises(EndOfStream):
        await asyncio.wait_for(handover.get_async(), 5)
    thread.join(5)


async def test_a_cancelled_async_get_takes_nothing():
    handover = Handover(4)
    waiting = asyncio.ensure_future(handover.get_async())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    handover.put(1)
    assert await handover.get_async() == 1


def test_a_waiter_whose_loop_is_gone_does_no_harm():
    handover = Handover(4)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(handover.get_async())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    handover.put(1)
    assert handover.get() == 1
    waiting._coro.close()  # the loop that would have, is gone
    del waiting


@given(st.integers(0, 60), st.integers(1, 8), st.booleans())
def test_order_is_kept_and_nothing_comes_twice(count, capacity, lossless):
    dropped = []
    handover = Handover(capacity, lossless=lossless, on_drop=lambda: dropped.append(1))
    for number in range(count):
        handover.put(number)
    handover.finish()
    taken = drain(handover)
    assert taken == list(range(0 if lossless else max(0, count - capacity), count))
    assert len(taken) + len(dropped) == count
