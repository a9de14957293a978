"""Ctrl+C and SIGTERM, turned into an orderly end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


def run_interruptibly(work: Coroutine[Any, Any, None]) -> None:
    """As `asyncio.run`, with Ctrl+C cancelling the work and nothing else.

    So does `asyncio.run` itself from Python 3.11 on; before, the interrupt strikes whichever task
    just runs, one of aiohttp's perhaps.

    Raises:
        KeyboardInterrupt: after Ctrl+C, once the work has given back what it held.
    """
    try:
        asyncio.run(_cancelled_by_sigint(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _cancelled_by_sigint(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    with suppress(NotImplementedError):  # Windows has none; there asyncio.run does what it can
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await task
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end as Ctrl+C does, so that a video that is being written is completed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
