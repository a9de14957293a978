"""Options of every socket: no waiting for more to send, and a sign of life from the other side."""

from __future__ import annotations

import socket
from contextlib import suppress

_KEEP_ALIVE = (
    # After 45 s of silence a probe, then one each 10 s; after 3 without an echo the connection is
    # given up: a machine that went to sleep, or a router that forgot, costs 75 s and not for ever.
    ("TCP_KEEPIDLE", 45),
    ("TCP_KEEPALIVE", 45),  # its name on macOS
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
)


def set_options(opened: socket.socket) -> None:
    """Set them where the system knows them."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            with suppress(OSError):
                opened.setsockopt(socket.IPPROTO_TCP, option, value)
