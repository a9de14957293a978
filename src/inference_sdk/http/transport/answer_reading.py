"""Reading one answer of HTTP/1.1 from a link: strictly, and never without a bound.

What arrives decides about somebody's results, so an answer that can be read in two ways is none:
two lengths, a length that is no number, a length beside chunks. Bounded are the head, the number
of answers that are only interim, the time, and the size of the body, unpacked.

Why not `http.client`, which `requests` stands on, or h11: the first takes interim answers for
answers, waits for ever on a drip and counts no bytes; the second takes 44 µs for what takes 5
here, half as long as a bare socket needs for a small call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from inference_sdk.http.observing import Phase, timed
from inference_sdk.http.transport.body_decoding import Sink
from inference_sdk.http.transport.headers import Headers
from inference_sdk.http.transport.limits import TimeLimits
from inference_sdk.http.transport.links import Link

LONGEST_HEAD = 2**16
MOST_HEADERS = 128
MOST_INTERIM_ANSWERS = 32
_LONGEST_CHUNK_HEAD = 4096

PROGRESS_BYTES = 1024
PROGRESS_SILENCES = 10
"""So many bytes of a body have to arrive within so many times `read_timeout`: a drip that never
ends is silence, too."""

_LINE_END = re.compile(rb"\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_BEGINNING = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: ([^\r\n]*))?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*([^\x00\r\n]*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_HEAD = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")

_SWITCHED = 101


class NotHTTPError(Exception):
    """What came is no answer of HTTP/1.1, or contradicts itself."""


class EndedError(ConnectionError):
    """The other side closed before the answer was complete."""


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end and unpacked."""

    status: int
    reason: str
    headers: Headers
    content: bytes = field(repr=False)
    keeps: bool
    """Whether the connection can carry another request, as far as the answer tells."""


class Incoming:
    """What arrives on a link while one request is sent and answered, each wait with its end."""

    def __init__(self, link: Link, limits: TimeLimits) -> None:
        self._link = link
        self._limits = limits
        self._due = inf
        self._progress_due = inf
        self._progress = 0
        self._interim_answers = 0
        self._head: Head | None = None
        self.buffer = bytearray()
        self.received = 0

    @property
    def anything_came(self) -> bool:
        return self.received > 0

    async def send(self, parts: list[memoryview]) -> None:
        """Send all parts, or as many as the other side takes before it answers or closes."""
        while parts:
            arrived = await self._link.send(parts, self._limits.silence_ends())
            if arrived is None:
                continue
            if not arrived:
                return
            self.came(arrived)
            if self.final_head() is not None:
                return

    def request_is_sent(self) -> None:
        """From here on the answer's head has to come within `read_timeout`, all of it."""
        self._due = self._limits.silence_ends()

    def body_begins(self) -> None:
        """From here on silence ends it, and so does a drip."""
        self._progress = 0
        self._progress_due = self._limits.silence_ends(PROGRESS_SILENCES)

    async def more(self) -> None:
        """Wait for more in the buffer.

        Raises:
            EndedError: there will be none.
            TimeoutError: none came in time.
        """
        if self._head is not None:
            if self._progress >= PROGRESS_BYTES:
                self.body_begins()
            self._due = min(self._limits.silence_ends(), self._progress_due)
        data = await self._link.receive(self._due)
        if not data:
            raise EndedError("it was closed")
        self.came(data)

    def came(self, data: bytes) -> None:
        if data:
            self.received += len(data)
            self.buffer += data
            self._progress += len(data)

    def final_head(self) -> Head | None:
        """The head of the answer, if it is there; 102 or 103 announce one, and are none.

        Raises:
            NotHTTPError: what is there is none, or has no end.
        """
        while self._head is None:
            if not _BEGINNING.startswith(self.buffer[: len(_BEGINNING)]):
                raise NotHTTPError(f"it begins with {_shown(bytes(self.buffer[:20]))}")
            text = self._upto(_HEAD_END, LONGEST_HEAD, "a head")
            if text is None:
                return None
            head = read_head(text)
            if head.status >= 200 or head.status == _SWITCHED:
                self._head = head
            elif self._interim_answers == MOST_INTERIM_ANSWERS:
                raise NotHTTPError(f"more than {MOST_INTERIM_ANSWERS} interim answers")
            self._interim_answers += 1
        return self._head

    def _upto(self, end: re.Pattern[bytes], longest: int, what: str) -> bytes | None:
        found = end.search(self.buffer)
        if found is None or found.start() > longest:
            if len(self.buffer) > longest:
                raise NotHTTPError(f"{what} of more than {longest} bytes")
            return None
        text = bytes(self.buffer[: found.start()])
        del self.buffer[: found.end()]
        return text

    async def line(self, longest: int, what: str) -> bytes:
        """The next line, without its end."""
        while (text := self._upto(_LINE_END, longest, what)) is None:
            await self.more()
        return text

    def take(self, most: int) -> bytes:
        """Up to so many bytes of what has arrived."""
        taken = bytes(self.buffer[:most]) if most < len(self.buffer) else bytes(self.buffer)
        del self.buffer[:most]
        return taken


async def read_head_and_body(incoming: Incoming, sink_of: Callable[[Head], Sink]) -> Reply:
    """The answer that comes; its head says what its body goes into.

    Raises:
        NotHTTPError: it is malformed.
        TooLargeError: it is larger than it may be, unpacked.
        UnreadableBodyError: it is packed, but not as it says.
        EndedError, TimeoutError, OSError: it is not complete.
    """
    incoming.request_is_sent()
    with timed(Phase.WAITING):
        while (head := incoming.final_head()) is None:
            await incoming.more()
    incoming.body_begins()
    with timed(Phase.RECEIVING):
        return await read_body(incoming, head, sink_of(head))


@dataclass(frozen=True)
class Head:
    """Status line and headers of an answer."""

    minor_version: int
    status: int
    reason: str
    headers: Headers

    @property
    def has_body(self) -> bool:
        return self.status >= 200 and self.status not in (204, 304)

    @property
    def keeps(self) -> bool:
        options = {
            option.strip().lower() for option in self.headers.get("Connection", "").split(",")
        }
        if self.status == _SWITCHED or "close" in options:
            return False
        return self.minor_version > 0 or "keep-alive" in options

    @property
    def is_chunked(self) -> bool:
        coding = self.headers.get("Transfer-Encoding")
        if coding is None:
            return False
        if coding.strip().lower() != "chunked":
            raise NotHTTPError(f"the transfer encoding {coding!r}")
        return True

    @property
    def length(self) -> int | None:
        text = self.headers.get("Content-Length")
        if text is None:
            return None
        if not _LENGTH.fullmatch(text):
            raise NotHTTPError(f"the length {text!r}")
        return int(text)


def read_head(text: bytes) -> Head:
    """Status line and headers from their text, without the empty line.

    Raises:
        NotHTTPError: it is malformed.
    """
    first, *lines = text.split(b"\n")
    status = _STATUS_LINE.fullmatch(first.rstrip(b"\r"))
    if status is None:
        raise NotHTTPError(f"the status line {_shown(first)}")
    if len(lines) > MOST_HEADERS:
        raise NotHTTPError(f"more than {MOST_HEADERS} headers")
    version, code, reason = status.groups()
    return Head(int(version), int(code), (reason or b"").decode("latin-1"), _headers(lines))


def _headers(lines: list[bytes]) -> Headers:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        header = _HEADER.fullmatch(line.removesuffix(b"\r"))
        if header is None:
            raise NotHTTPError(f"the header {_shown(line)}")
        name, value = header.groups()
        pairs.append((name.decode("ascii"), value.decode("latin-1")))
    return Headers(pairs)


def _shown(text: bytes) -> str:
    return repr(text.rstrip(b"\r")[:200].decode("latin-1"))


async def read_body(incoming: Incoming, head: Head, sink: Sink) -> Reply:
    """The body that belongs to a head."""
    chunked, length, keeps = head.is_chunked, head.length, head.keeps
    if chunked and length is not None:
        raise NotHTTPError("a length and chunks in one answer")
    if not head.has_body:
        pass
    elif chunked:
        await _read_chunks(incoming, sink)
    elif length is not None:
        sink.expect(length)
        await _read_bytes(incoming, sink, length)
    else:
        keeps = False
        await _read_to_end(incoming, sink)
    # More than was said belongs to no request of ours.
    keeps = keeps and not incoming.buffer
    return Reply(head.status, head.reason, head.headers, sink.content(), keeps)


async def _read_bytes(incoming: Incoming, sink: Sink, count: int) -> None:
    while True:
        part = incoming.take(count)
        sink.add(part)
        count -= len(part)
        if not count:
            return
        await incoming.more()


async def _read_chunks(incoming: Incoming, sink: Sink) -> None:
    while True:
        text = await incoming.line(_LONGEST_CHUNK_HEAD, "a chunk's head")
        size = _CHUNK_HEAD.fullmatch(text)
        if size is None:
            raise NotHTTPError(f"the chunk size {_shown(text)}")
        count = int(size[1], 16)
        if count == 0:
            break
        await _read_bytes(incoming, sink, count)
        if await incoming.line(_LONGEST_CHUNK_HEAD, "a chunk"):
            raise NotHTTPError("a chunk that is longer than it says")
    left = LONGEST_HEAD
    while trailer := await incoming.line(left, "a trailer"):
        left -= len(trailer)


async def _read_to_end(incoming: Incoming, sink: Sink) -> None:
    try:
        while True:
            sink.add(incoming.take(len(incoming.buffer)))
            await incoming.more()
    except EndedError:
        pass
