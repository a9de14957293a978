"""What a conversation needs of a connection, whoever waits for it.

A conversation is written once, as coroutines over a `Link`. There are two kinds of links: those
of an event loop, which suspend, and those of a thread, which block instead. Coroutines over the
latter never suspend, so a thread runs them to their end in one go, with `run_blocking`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import ssl

    from inference_sdk.http.transport.ways import Judge, Proxy

T = TypeVar("T")


class Link(Protocol):
    """One connection. Moments are those of `time.monotonic`."""

    kept_until: float
    """When it may no longer be used again, set while it is idle."""

    async def send(self, parts: list[memoryview], due: float) -> bytes | None:
        """Send the first part, and take from the list what is sent.

        Returns:
            None when the part is sent; else what arrived meanwhile, empty at the other's end.

        Raises:
            TimeoutError: not sent when due.
        """

    async def receive(self, due: float) -> bytes:
        """What arrives next, empty at the other's end.

        Raises:
            TimeoutError: nothing had arrived when due.
            OSError: the connection is broken.
        """

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float) -> Link:
        """The connection under TLS, with a server of that name; this one is not used any more.

        Raises:
            TimeoutError: the handshake was not over when due.
            OSError: it failed; `ssl.SSLError` is one.
        """
        ...

    async def is_quiet(self) -> bool:
        """Whether it stands and nothing has arrived that nobody asked for."""

    def close(self) -> None:
        """Close it at once."""


class Network(Protocol):
    """Opens links."""

    async def connect(
        self, host: str, port: int, due: float, judge: Judge | None = None
    ) -> Link: ...

    async def connect_by_socks(self, proxy: Proxy, host: str, port: int, due: float) -> Link: ...


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends, since its links block."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    finally:
        coroutine.close()
    raise AssertionError("A blocking link does not suspend.")
