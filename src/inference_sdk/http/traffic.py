"""What a client learns of its servers from its own requests, and shares with its copies.

Knows what an answer or an error says of a server; what follows from it is decided in
`concurrency`. Kept in the process that learnt it: neither pickled nor handed to a forked child.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from inference_sdk.http.concurrency import AdaptiveWindow, Slot
from inference_sdk.http.entities import AUTO, RETRYABLE_STATUS_CODES, Concurrency
from inference_sdk.http.errors import HTTPServerConnectionError, HTTPServerDisconnectedError
from inference_sdk.http.pipeline import Limit

if TYPE_CHECKING:
    from types import TracebackType

    from inference_sdk.http.answers import Answer

_refuse: ContextVar[Callable[[], None] | None] = ContextVar("inference_sdk_refuse", default=None)
"""Tells the window of the job that is under way here. Jobs have a context of their own."""


@dataclass(frozen=True)
class ClientStats:
    """What a client, together with its copies, has learnt so far.

    Attributes:
        windows: requests at once that `max_concurrent_requests="auto"` has found to pay, for each
            kind of call: by path and model.
    """

    windows: dict[str, int]


class Traffic:
    """The windows of a client. Safe to share between threads.

    Args:
        clock: seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._process = os.getpid()
        self._windows: dict[str, JobWindow] = {}

    def limit(self, concurrency: Concurrency, kind: str) -> int | Limit:
        """How many jobs of a kind run at once, for the pipeline.

        Args:
            concurrency: as set by the caller.
            kind: of calls that take about as long: windows are learnt for each.
        """
        if concurrency != AUTO:
            return concurrency
        if self._process != os.getpid():  # a lock may have been held when this process was forked
            self._process, self._windows = os.getpid(), {}
        return self._windows.setdefault(kind, JobWindow(AdaptiveWindow(self._clock)))

    def stats(self) -> ClientStats:
        windows = self._windows.copy()
        return ClientStats({kind: window.limit for kind, window in windows.items()})


class JobWindow:
    """A `Limit` that hears, through `Sending`, how the requests of its jobs fared."""

    def __init__(self, window: AdaptiveWindow) -> None:
        self._window = window

    @property
    def limit(self) -> int:
        return self._window.limit

    def begin(self, running: int) -> Slot:
        slot = self._window.begin(running)
        _refuse.set(partial(self._window.refuse, slot))
        return slot

    def end(self, slot: Slot, *, counts: bool = True) -> None:
        self._window.end(slot, counts=counts)


class Sending:
    """One request under way: what is inside the `with` sends it, and sets `answer`."""

    answer: Answer

    def __enter__(self) -> Sending:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        refuse = _refuse.get()
        if refuse and (is_refusal(self.answer) if kind is None else is_overload(error)):
            refuse()


def is_refusal(answer: Answer) -> bool:
    return answer.status in RETRYABLE_STATUS_CODES


def is_overload(error: BaseException | None) -> bool:
    """Whether more requests would only make it worse.

    Not so where a connection was closed before a byte of the answer: most likely it was one that
    had been kept too long.
    """
    is_of_server = isinstance(error, HTTPServerConnectionError)
    return is_of_server and not isinstance(error, HTTPServerDisconnectedError)
