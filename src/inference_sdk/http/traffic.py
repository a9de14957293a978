"""What a client learns of its servers from its own requests, and shares with its copies.

Knows what an answer or an error says of a server; what follows from it is decided in
`concurrency` and `servers`. Kept in the process that learnt it: neither pickled nor handed to a
forked child.
"""

from __future__ import annotations

import os
import random as chance
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from inference_sdk.http.concurrency import AdaptiveWindow, Slot
from inference_sdk.http.descriptions import Descriptions
from inference_sdk.http.entities import AUTO, RETRYABLE_STATUS_CODES, Concurrency
from inference_sdk.http.errors import (
    HTTPClientError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    InvalidParameterError,
)
from inference_sdk.http.operations.retries import retry_after
from inference_sdk.http.pipeline import Limit
from inference_sdk.http.servers import Outcome, ServerPool, ServerStats, Turn
from inference_sdk.http.utils.requests import shown_url

if TYPE_CHECKING:
    from types import TracebackType

    from inference_sdk.http.answers import Answer
    from inference_sdk.http.entities import InferenceConfiguration
    from inference_sdk.http.utils.request_building import RequestData

_refuse: ContextVar[Callable[[], None] | None] = ContextVar("inference_sdk_refuse", default=None)
"""Tells the window of the job that is under way here. Jobs have a context of their own."""


@dataclass(frozen=True)
class ClientStats:
    """What a client, together with its copies, has learnt so far.

    Attributes:
        servers: in the order of `api_url`.
        windows: requests at once that `max_concurrent_requests="auto"` has found to pay, for each
            kind of call: by path and model.
    """

    servers: tuple[ServerStats, ...]
    windows: dict[str, int]


class Traffic:
    """The servers, windows and models of a client. Safe to share between threads.

    Args:
        clock: seconds, from any start.
        random: gives 0..1.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._clock = clock
        self._random = random
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._pool = ServerPool(self._clock, self._random)
        self._windows: dict[str, JobWindow] = {}
        self._descriptions = Descriptions()

    @property
    def pool(self) -> ServerPool:
        """What is known of the servers."""
        if self._process != os.getpid():  # a lock may have been held when this process was forked
            self._forget()
        return self._pool

    @property
    def descriptions(self) -> Descriptions:
        """What is known of the models."""
        if self._process != os.getpid():
            self._forget()
        return self._descriptions

    def limit(self, concurrency: Concurrency, kind: str) -> int | Limit:
        """How many jobs of a kind run at once, for the pipeline.

        Args:
            concurrency: as set by the caller.
            kind: of calls that take about as long: windows are learnt for each.
        """
        if concurrency != AUTO:
            return concurrency
        if self._process != os.getpid():
            self._forget()
        return self._windows.setdefault(kind, JobWindow(AdaptiveWindow(self._clock)))

    def stats(self, addresses: Iterable[str]) -> ClientStats:
        """Of the servers at these addresses."""
        servers = self.pool.stats(addresses)
        windows = self._windows.copy()
        return ClientStats(
            servers=tuple(replace(one, address=shown_url(one.address)) for one in servers),
            windows={kind: window.limit for kind, window in windows.items()},
        )


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
    """One request under way: what is inside the `with` sends `request`, and sets `answer`.

    Args:
        request: addressed to the first of the servers.
        servers: their addresses; any of them will do.
        pool: that chooses; None where there is no choice and nothing to learn.
        configuration: that of the request.
    """

    answer: Answer

    def __init__(
        self,
        request: RequestData,
        servers: tuple[str, ...],
        pool: ServerPool | None,
        configuration: InferenceConfiguration,
    ) -> None:
        self.request = request
        self._servers = servers
        self._pool = pool
        self._configuration = configuration
        self._turn: Turn | None = None

    def __enter__(self) -> Sending:
        if self._pool is not None:
            self._turn = self._pool.begin(self._servers)
            self.request = directed(self.request, self._servers[0], self._turn.server.address)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        outcome = outcome_of(self.answer) if error is None else outcome_of_error(error)
        if self._pool is not None and self._turn is not None:
            refused = outcome is Outcome.REFUSED
            rest = retry_after(self.answer, self._configuration) if refused else None
            self._pool.end(self._turn, outcome, rest)
        refuse = _refuse.get()
        # A connection that fails tells of a death, and not of too much to do.
        if refuse is not None and (outcome is Outcome.REFUSED or isinstance(error, TimeoutError)):
            refuse()


def directed(request: RequestData, given: str, chosen: str) -> RequestData:
    """A request for the server at `given`, sent to the one at `chosen`."""
    if given == chosen or not request.url.startswith(given):
        return request
    return replace(request, url=chosen + request.url[len(given) :])


def outcome_of(answer: Answer) -> Outcome:
    if answer.status in RETRYABLE_STATUS_CODES:
        return Outcome.REFUSED
    return Outcome.FAILED if answer.status >= 500 else Outcome.ANSWERED


def outcome_of_error(error: BaseException) -> Outcome:
    if isinstance(error, HTTPServerDisconnectedError):
        return Outcome.CLOSED
    if isinstance(error, HTTPServerConnectionError):
        return Outcome.LOST
    is_of_caller = isinstance(error, InvalidParameterError) or not isinstance(
        error, HTTPClientError
    )
    return Outcome.DROPPED if is_of_caller else Outcome.FAILED
