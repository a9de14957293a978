"""Waiting for no longer than some time, in a task that may be cancelled meanwhile.

`asyncio.wait_for` loses a cancellation that comes together with the result, before Python 3.12: the
task then goes on as if nobody had ended it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def within(seconds: float | None, work: Coroutine[Any, Any, object]) -> bool:
    """Do something for at most `seconds` (None: however long it takes); what it raises is raised.

    Returns:
        Whether it was done in time; else it is cancelled.
    """
    if seconds is None:
        await work
        return True
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    if not done:
        return False
    task.result()
    return True
