"""What models do, kept for a while: without it, `infer` would ask a server before each picture.

One look-up is shared by all who ask at once: by threads, and by the tasks of an event loop. Not
across these: a thread that waits for a task may be the one that has to run it. Knows nothing of
how a model is looked up.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import isinf
from types import TracebackType

from inference_sdk.http import interruption
from inference_sdk.http.deadlines import current_deadline
from inference_sdk.http.entities import ModelDescription

Loop = asyncio.AbstractEventLoop | None


@dataclass(frozen=True)
class Subject:
    """What a description is of, and who may know it: servers tell keys apart.

    Servers of one client do the same, so they share it.
    """

    api_urls: tuple[str, ...]
    api_key: str | None = field(repr=False)
    model_id: str


@dataclass(frozen=True)
class _Kept:
    description: ModelDescription
    since: float
    """When its look-up began."""


class Descriptions:
    """The descriptions that a client keeps. Safe to share between threads and event loops.

    Args:
        clock: seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._kept: dict[Subject, _Kept] = {}
        self._under_way: dict[tuple[Subject, Loop], LookUp] = {}

    def ask(self, subject: Subject, ttl: float, loop: Loop) -> ModelDescription | LookUp:
        """What is kept and no older than `ttl` seconds; else the look-up to join, or to do.

        With a `ttl` of 0 nothing is kept or shared.
        """
        if ttl <= 0:
            return LookUp(self, subject, loop, self.clock())
        with self._lock:
            kept = self._kept.get(subject)
            if kept is not None and self.clock() - kept.since < ttl:
                return kept.description
            return self._under_way.get((subject, loop)) or self._begin(subject, loop)

    def _begin(self, subject: Subject, loop: Loop) -> LookUp:
        look_up = self._under_way[subject, loop] = LookUp(self, subject, loop, self.clock())
        return look_up

    def end(self, look_up: LookUp, found: ModelDescription | None) -> None:
        """Keep what was found, unless it was to be forgotten meanwhile."""
        place = look_up.subject, look_up.loop
        with self._lock:
            if self._under_way.get(place) is look_up:
                del self._under_way[place]
                if found is not None:
                    self._kept[look_up.subject] = _Kept(found, look_up.since)

    def forget(self, model_id: str | None = None, *, under_way: bool = True) -> None:
        """Keep nothing of a model, or of any; nor, later, what is being looked up already."""
        with self._lock:
            for subject in [one for one in self._kept if model_id in (None, one.model_id)]:
                del self._kept[subject]
            if not under_way:
                return
            for place in [one for one in self._under_way if model_id in (None, one[0].model_id)]:
                del self._under_way[place]

    def doubt(self, subject: Subject, moment: float) -> None:
        """Do not keep what was looked up before: a server said then that it has no such model."""
        with self._lock:
            kept = self._kept.get(subject)
            if kept is not None and kept.since <= moment:
                del self._kept[subject]


class LookUp:
    """A look-up under way. Whoever `leads` it sets `found` inside `with`; the others wait."""

    def __init__(
        self, descriptions: Descriptions, subject: Subject, loop: Loop, since: float
    ) -> None:
        self.subject = subject
        self.loop = loop
        self.since = since
        self.found: ModelDescription | None = None
        self._descriptions = descriptions
        self._lead = threading.Lock()
        self._future: Future[ModelDescription | None] = Future()
        self._future.set_running_or_notify_cancel()  # one who waits must not cancel it for all

    def leads(self) -> bool:
        """Whether it is the caller who has to do it: the first who asks."""
        return self._lead.acquire(blocking=False)

    def __enter__(self) -> LookUp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._descriptions.end(self, self.found)
        self._future.set_result(self.found)

    def wait(self) -> ModelDescription | None:
        """What its leader finds; None where that failed, or takes longer than the call may."""
        done = threading.Event()
        self._future.add_done_callback(lambda _: done.set())
        with interruption.ended_by(done.set):
            done.wait(_remaining())
        interruption.check()
        return self._future.result() if self._future.done() else None

    async def wait_async(self) -> ModelDescription | None:
        """As `wait`, for a task."""
        await asyncio.wait([asyncio.wrap_future(self._future)], timeout=_remaining())
        return self._future.result() if self._future.done() else None


def _remaining() -> float | None:
    deadline = current_deadline()
    return None if isinf(deadline) else max(0.0, deadline - time.monotonic())
