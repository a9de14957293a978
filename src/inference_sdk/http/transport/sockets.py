"""Sockets: the options that each gets, and waiting for one."""

from __future__ import annotations

import select
import socket
import sys
from contextlib import suppress
from math import ceil, inf
from typing import Protocol

READ, WRITE = 1, 2

_KEEP_ALIVE = (
    # After 45 s of silence a probe, then one each 10 s; after 3 without an echo the connection is
    # given up: a machine that went to sleep, or a router that forgot, costs 75 s and not for ever.
    ("TCP_KEEPIDLE", 45),
    ("TCP_KEEPALIVE", 45),  # its name on macOS
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
)


def set_options(opened: socket.socket) -> None:
    """No waiting for more to send, and a sign of life from the other side now and then."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            with suppress(OSError):
                opened.setsockopt(socket.IPPROTO_TCP, option, value)


class Waiting(Protocol):
    """A socket, or what asyncio shows of it."""

    def fileno(self) -> int: ...


if sys.platform == "win32":

    def wait(waiting: Waiting, what: int, seconds: float) -> bool:
        reading = [waiting] if what & READ else []
        writing = [waiting] if what & WRITE else []
        limit = None if seconds == inf else seconds
        return any(select.select(reading, writing, writing, limit))

else:
    _EVENTS = {
        READ: select.POLLIN,
        WRITE: select.POLLOUT,
        READ | WRITE: select.POLLIN | select.POLLOUT,
    }

    def wait(waiting: Waiting, what: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(waiting, _EVENTS[what])
        return bool(poll.poll(None if seconds == inf else ceil(seconds * 1000)))
