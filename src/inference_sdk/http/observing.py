"""Who wants to know what a call spends its time on is told: timings, and telemetry, hang on here.

Code on the path of a call says what it is at, `with timed(Phase.ENCODING): …`, and knows nobody who
listens. Where nobody does, that costs a tenth of a microsecond.

A call is what the caller asked for: one method of the client, or one request's worth of images of
`infer_many`. What it does in threads and tasks of its own belongs to it; they inherit it with their
context. Phases do not overlap: what is done within one is part of it, and of no other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


class Phase(str, Enum):
    """What a call can be at, in the order in which it mostly happens."""

    SOURCE = "source"
    """Waiting for the next image of the caller's iterable."""
    SLOT = "slot"
    """Waiting for others to end, with as many requests under way as there may be."""
    READING = "reading"
    """Files, and downloads of images by URL."""
    DECODING = "decoding"
    RESIZING = "resizing"
    ENCODING = "encoding"
    """JPEG (or what is set) and base64."""
    CONNECTING = "connecting"
    """Name, TCP, proxy, TLS: where no connection was kept."""
    SENDING = "sending"
    WAITING = "waiting"
    """From the last byte sent to the head of the answer: the network, and the server's work."""
    RECEIVING = "receiving"
    PARSING = "parsing"
    """JSON, and the pictures in it."""
    PAUSING = "pausing"
    """Between two tries."""


@dataclass
class CallRecord:
    """One call: when, how long at what, and what went over the wire.

    Attributes:
        name: of what was done, such as "infer" or "infer_many": mostly that of the method.
        began: `time.time()`.
        elapsed: seconds, from the moment it was asked for; 0 while it is under way. Requests that a
            call sends at once make the phases longer than it.
        phases: seconds for each `Phase` that there was.
        processing: seconds that servers say they worked (`X-Processing-Time`).
        tries: requests sent, also those that failed.
        connections: opened for it.
        bytes_sent: of HTTP, before TLS.
        bytes_received: as `bytes_sent`.
        error: the class of the error it ended with, None for one that succeeded.
    """

    name: str
    began: float = field(default_factory=time.time)
    elapsed: float = 0.0
    phases: dict[Phase, float] = field(default_factory=dict)
    processing: float = 0.0
    tries: int = 0
    connections: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    error: str | None = None

    @property
    def other(self) -> float:
        """Seconds that belong to no phase: Python between them, threads that wait for a core."""
        return max(0.0, self.elapsed - sum(self.phases.values()))


@dataclass
class TryRecord:
    """One request of a call, sent once.

    Attributes:
        number: which try of the request it is, from 1.
        method: "GET" or "POST".
        url: where it went, without its query and what is secret; the server's that took it.
        model: the model that it names; None where it names none.
        headers: sent along; listeners may add some when it begins, such as a trace context.
        status: of the answer, None where there was none.
        error: the class of the error where there was no answer.
    """

    number: int
    method: str
    url: str
    model: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    status: int | None = None
    error: str | None = None


class Listener:
    """Told of calls. Methods are called by whichever thread is at work, and must not block."""

    def call_begins(self, call: CallRecord) -> None:
        """A call begins; the record fills while it is under way. In the context of the call."""

    def phase_ended(self, call: CallRecord, phase: Phase, seconds: float) -> None:
        """It was at something for so long, until now."""

    def try_begins(self, call: CallRecord, tried: TryRecord) -> None:
        """A request is about to be sent; it may be given further headers."""

    def try_ends(self, call: CallRecord, tried: TryRecord) -> None:
        """It was answered, or failed, or nobody waits for it any more."""

    def call_ends(self, call: CallRecord) -> None:
        """A call is over, and its record complete. In the context of the call."""


class Asked(NamedTuple):
    """When a call was asked for, that could not begin at once."""

    at: float
    """`time.perf_counter()`."""
    source: float = 0.0
    """Seconds that its image was waited for before that."""


class Listeners:
    """Those of a client and of its copies."""

    def __init__(self) -> None:
        self._all: dict[int, Listener] = {}  # no lock: each change is one operation

    def add(self, listener: Listener) -> None:
        """Tell it of the calls that begin from now on."""
        self._all[id(listener)] = listener

    def remove(self, listener: Listener) -> None:
        """Tell it of no further call; of those under way it is told to their end."""
        self._all.pop(id(listener), None)

    def call(self, name: str, asked: Asked | None = None) -> AbstractContextManager[object]:
        """What is done inside is a call, unless it is part of one already."""
        if not self._all or _current.get() is not None:
            return _NOTHING
        return _Call(tuple(self._all.values()), name, asked)


def each_asked(items: Iterable[T]) -> Iterator[tuple[T, Asked]]:
    """Items, each with the moment it came out of its source, and how long that took."""
    began = time.perf_counter()
    for item in items:
        at = time.perf_counter()
        yield item, Asked(at, at - began)
        began = time.perf_counter()


async def each_asked_async(items: AsyncIterable[T]) -> AsyncIterator[tuple[T, Asked]]:
    """The twin of `each_asked`."""
    began = time.perf_counter()
    async for item in items:
        at = time.perf_counter()
        yield item, Asked(at, at - began)
        began = time.perf_counter()


class _Call:
    """One call under way, known by whoever works for it as `_current`."""

    def __init__(self, listeners: tuple[Listener, ...], name: str, asked: Asked | None) -> None:
        self.listeners = listeners
        self._asked = asked
        self._lock = threading.Lock()
        self.record = CallRecord(name)

    def __enter__(self) -> None:
        self._token: Token[_Current] = _current.set(self)
        for listener in self.listeners:
            listener.call_begins(self.record)
        self._began = now = time.perf_counter()
        if self._asked is not None:
            self._began = self._asked.at - self._asked.source
            self.was_at(Phase.SOURCE, self._asked.source)
            self.was_at(Phase.SLOT, now - self._asked.at)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.record.elapsed = time.perf_counter() - self._began
        self.record.error = None if kind is None else kind.__name__
        for listener in self.listeners:
            listener.call_ends(self.record)
        _current.reset(self._token)

    def was_at(self, phase: Phase, seconds: float) -> None:
        with self._lock:
            phases = self.record.phases
            phases[phase] = phases.get(phase, 0.0) + seconds
        for listener in self.listeners:
            listener.phase_ended(self.record, phase, seconds)

    def count(self, counts: dict[str, float]) -> None:
        with self._lock:
            for name, count in counts.items():
                setattr(self.record, name, getattr(self.record, name) + count)


class _Try:
    """One request under way, for those who listen to its call."""

    def __init__(self, call: _Call, record: TryRecord) -> None:
        self._call = call
        self._record = record

    def __enter__(self) -> TryRecord:
        for listener in self._call.listeners:
            listener.try_begins(self._call.record, self._record)
        return self._record

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self._record.error = kind.__name__
        for listener in self._call.listeners:
            listener.try_ends(self._call.record, self._record)


class _Timed:
    """One phase of a call; what is within it is in no other."""

    def __init__(self, call: _Call, phase: Phase) -> None:
        self._call = call
        self._phase = phase

    def __enter__(self) -> None:
        self._token: Token[_Current] = _current.set("within a phase")
        self._began = time.perf_counter()

    def __exit__(self, *failure: object) -> None:
        seconds = time.perf_counter() - self._began
        _current.reset(self._token)
        self._call.was_at(self._phase, seconds)


_Current = _Call | Literal["within a phase"] | None
_current: ContextVar[_Current] = ContextVar("inference_sdk_call", default=None)
_NOTHING = nullcontext()


def timed(phase: Phase) -> AbstractContextManager[object]:
    """What is done inside is this phase of the current call, if somebody wants to know."""
    call = _current.get()
    return _Timed(call, phase) if isinstance(call, _Call) else _NOTHING


def trying(describe: Callable[[], TryRecord]) -> AbstractContextManager[TryRecord | None]:
    """What is done inside is one try of the current call; None where nobody wants to know."""
    call = _current.get()
    return _Try(call, describe()) if isinstance(call, _Call) else nullcontext()


def in_phase(phase: Phase, work: Callable[[], T]) -> Callable[[], T]:
    """Work that is this phase, of the call that it is done for."""

    def do() -> T:
        with timed(phase):
            return work()

    return do


def in_turn(job: Callable[[], T]) -> Callable[[], T]:
    """A job that may have to wait for its turn, as a part of the current call."""
    call = _current.get()
    if not isinstance(call, _Call):
        return job
    asked, at = time.perf_counter(), call.was_at

    def begin() -> T:
        at(Phase.SLOT, time.perf_counter() - asked)
        return job()

    return begin


def count(**counts: float) -> None:
    """Add to what the current call counts: fields of `CallRecord`, if somebody wants to know."""
    call = _current.get()
    if isinstance(call, _Call):
        call.count(counts)
