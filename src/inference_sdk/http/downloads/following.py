"""One download: each hop judged, asked for, and followed until there is a picture.

Written once, over a `Hop`, which asks for one destination; see `fetching` and `through_libraries`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from inference_sdk import config
from inference_sdk.http.deadlines import current_deadline
from inference_sdk.http.downloads import failures
from inference_sdk.http.downloads.policy import AddressRules, judged, redirected
from inference_sdk.http.errors import call_error
from inference_sdk.http.transport.body_decoding import Sink, TooLargeError, sink_for
from inference_sdk.http.transport.limits import TimeLimits
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.utils.masking import knowing

if TYPE_CHECKING:
    from inference_sdk.http.downloads.destinations import Destination

LARGEST_DOWNLOAD_BYTES = 2**28
"""Of a picture by URL, unpacked; it is kept in memory."""

LONGEST_DOWNLOAD_SECONDS = 300.0
"""Of a picture, redirects and all, however it drips; `total_timeout` of a client may say less."""

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 120.0
"""Seconds without a byte."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LARGEST_ASIDE = 2**16
"""Bytes that come with a redirect."""


class Download(NamedTuple):
    """What a URL led to."""

    content: bytes
    status: int
    content_type: str | None


class Arrived(NamedTuple):
    """The answer of one hop."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Budget:
    """What a download may cost: time, and bytes; and where they go, if not into memory."""

    time: TimeLimits
    largest: int | None
    keep: Callable[[bytes], object] | None = field(default=None, repr=False)

    @classmethod
    def of_picture(cls, request_timeout: float | None) -> Budget:
        """For what is kept in memory."""
        return cls(_limits(request_timeout, LONGEST_DOWNLOAD_SECONDS), LARGEST_DOWNLOAD_BYTES)

    @classmethod
    def of_file(cls, request_timeout: float | None, keep: Callable[[bytes], object]) -> Budget:
        """For what is written to a file: clips take what they take."""
        return cls(_limits(request_timeout, float("inf")), None, keep)

    def sink_for(self, url: str, status: int, headers: Mapping[str, str]) -> Sink:
        """What the body of an answer goes into, once its head is there.

        Raises:
            HTTPCallErrorError: the answer is an error.
        """
        if status >= 400:
            raise call_error(f"Could not download {shown_url(url)}: status {status}.", status, None)
        encoding = headers.get("Content-Encoding")
        if _location(status, headers) is not None:
            return _Telling(sink_for(encoding, _LARGEST_ASIDE), url, _LARGEST_ASIDE)
        return _Telling(sink_for(encoding, self.largest, self.keep), url, self.largest or 0)


class _Telling(Sink):
    """A sink that says which picture was too large."""

    def __init__(self, inner: Sink, url: str, limit: int) -> None:
        self._inner, self._url, self._limit = inner, url, limit

    def expect(self, size: int) -> None:
        self._told(self._inner.expect, size)

    def add(self, part: bytes) -> None:
        self._told(self._inner.add, part)

    def content(self) -> bytes:
        return self._inner.content()

    def _told(self, take: Callable[[Any], None], what: Any) -> None:
        try:
            take(what)
        except TooLargeError:
            failure = failures.too_large(self._url, self._limit)
        else:
            return
        raise failure


def _limits(request_timeout: float | None, longest: float) -> TimeLimits:
    silence = READ_TIMEOUT if request_timeout is None else request_timeout
    end = min(current_deadline(), time.monotonic() + longest)
    return TimeLimits(min(CONNECT_TIMEOUT, silence), silence, end)


Hop = Callable[["Destination", AddressRules, Budget], Coroutine[Any, Any, Arrived]]
"""Ask for one destination, at an address that the rules allow."""


async def follow(hop: Hop, url: str, rules: AddressRules, budget: Budget) -> Download:
    """Download what a URL leads to.

    Raises:
        HTTPClientError: see `fetching.fetch_url_bytes`.
    """
    with knowing(url):
        return await _follow(hop, url, rules, budget)


async def _follow(hop: Hop, url: str, rules: AddressRules, budget: Budget) -> Download:
    current = judged(url, rules)
    left = most = config.MAX_IMAGE_URL_REDIRECTS
    while True:
        arrived = await hop(current, rules, budget)
        location = _location(arrived.status, arrived.headers)
        if location is None:
            return Download(arrived.content, arrived.status, arrived.headers.get("Content-Type"))
        if left <= 0:
            raise failures.too_many_redirects(url, most)
        left -= 1
        current, rules = redirected(current, location, rules)


def _location(status: int, headers: Mapping[str, str]) -> str | None:
    text = headers.get("Location") if status in _REDIRECTS else None
    try:
        # Headers are read byte by byte; an address outside ASCII is meant as UTF-8.
        return text and text.encode("latin-1").decode()
    except UnicodeError:
        return text
