"""Connections that are idle: kept to be used again, unless something came that nobody asked for.

Bytes on an idle connection are an answer to nothing: they would be taken for the answer to the
next request, and one picture would get what belongs to another, or to nobody.
"""

from __future__ import annotations

import re
import time
from collections import deque
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference_sdk.http.transport.headers import Headers
    from inference_sdk.http.transport.links import Link
    from inference_sdk.http.transport.ways import Way

MOST_KEPT = 256
"""For one way to one server; what is used at once beyond that is opened anew."""

MOST_WAYS = 64
"""With idle connections. Requests go few ways, downloads of pictures to as many hosts as there are."""

_SERVERS_TIMEOUT = re.compile(r"(?:^|[,;\s])timeout=(\d{1,6})")


class KeptLinks:
    """Idle connections by their way; those used last are used first. Safe for threads."""

    def __init__(self) -> None:
        self._idle: dict[Way, deque[Link]] = {}
        self._is_closed = False

    async def take(self, way: Way) -> Link | None:
        """A connection that can carry a request, None where none is kept."""
        idle = self._idle.get(way)
        while idle:
            try:
                link = idle.pop()
            except IndexError:  # another thread was faster
                return None
            if await _is_usable(link):
                return link
            link.close()
        return None

    def give(self, way: Way, link: Link, headers: Headers, seconds: float) -> None:
        """Keep a connection for some seconds, or as long as the server's `Keep-Alive` says."""
        link.kept_until = time.monotonic() + min(seconds, _servers_limit(headers))
        idle = self._idle.get(way)
        if idle is None:
            self._make_room()
            idle = self._idle.setdefault(way, deque())
        idle.append(link)
        _close_oldest(idle)
        if self._idle.get(way) is not idle:  # another thread was making room
            _close_all(idle)
        if self._is_closed:
            self.close()

    def close(self) -> None:
        """Close them all, and from now on each that is given back."""
        self._is_closed = True
        for way in list(self._idle):
            self._forget(way)

    def _make_room(self) -> None:
        if len(self._idle) >= MOST_WAYS:
            for way, idle in list(self._idle.items()):
                _close_oldest(idle)
                if not idle:
                    self._forget(way)
        for way in list(self._idle)[: 1 - MOST_WAYS]:
            self._forget(way)

    def _forget(self, way: Way) -> None:
        _close_all(self._idle.pop(way, deque()))


def _close_all(idle: deque[Link]) -> None:
    with suppress(IndexError):
        while True:
            idle.pop().close()


def _close_oldest(idle: deque[Link]) -> None:
    """Those that nobody will use again, and those that are too many."""
    now = time.monotonic()
    with suppress(IndexError):  # another thread was faster
        while idle[0].kept_until <= now or len(idle) > MOST_KEPT:
            idle.popleft().close()


async def _is_usable(link: Link) -> bool:
    try:
        return time.monotonic() < link.kept_until and await link.is_quiet()
    except BaseException:
        link.close()
        raise


def _servers_limit(headers: Headers) -> float:
    """Seconds, one less than the server says: it must not close just as we send."""
    named = headers.get("Keep-Alive")
    said = _SERVERS_TIMEOUT.search(named) if named else None
    return max(0, int(said[1]) - 1) if said else inf
