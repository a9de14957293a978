"""When the call that is under way has to be over: one moment for all that it does.

A call may look a model up, send, wait, and send again, in threads and tasks of its own. They all
inherit the moment with their context, so that nothing has to hand it down to them.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

_deadline: ContextVar[float] = ContextVar("inference_sdk_deadline", default=inf)


def current_deadline() -> float:
    """The moment, as `time.monotonic` counts; infinity where nothing limits the call."""
    return _deadline.get()


@contextmanager
def limited_to(seconds: float | None) -> Generator[None, None, None]:
    """Give what is done inside so many seconds; what it is part of may give it less.

    Args:
        seconds: None sets no limit.
    """
    if seconds is None:
        yield
        return
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)
