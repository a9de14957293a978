"""A connection for threads: a socket that is asked, waited for, and asked again."""

from __future__ import annotations

import socket
import ssl
import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from inference_sdk.http.interruption import ended_by, shut
from inference_sdk.http.transport.sockets import READ, WRITE, set_options, wait

if TYPE_CHECKING:
    from inference_sdk.http.transport.ways import Judge, Proxy

_RECEIVED_BYTES = 2**17
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BlockingLink:
    """See `Link`. The socket itself never blocks: one wait sees both what it can send and what
    has arrived, so an answer that comes early ends the sending. Whoever breaks the work off ends
    the wait: see `interruption`.
    """

    kept_until = inf

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected

    async def send(self, parts: list[memoryview], due: float) -> bytes | None:
        while True:
            try:
                sent = self._socket.send(parts[0])
            except _NOT_YET:
                arrived = self._receive_now()
                if arrived is not None:
                    return arrived
                self._wait(READ | WRITE, due)
            except (ConnectionError, ssl.SSLEOFError):
                return self._last_words()
            else:
                if sent == len(parts[0]):
                    del parts[0]
                    return None
                parts[0] = parts[0][sent:]

    async def receive(self, due: float) -> bytes:
        while True:
            arrived = self._receive_now()
            if arrived is not None:
                return arrived
            self._wait(READ, due)

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float) -> BlockingLink:
        if isinstance(self._socket, ssl.SSLSocket):
            return TLSInTLSLink(self._socket, context, host, due)
        # The plain socket is detached, and closed where wrapping it fails.
        secure = context.wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        self._socket = secure
        while True:
            try:
                secure.do_handshake()
                return self
            except ssl.SSLWantReadError:
                self._wait(READ, due)
            except ssl.SSLWantWriteError:
                self._wait(WRITE, due)

    async def is_quiet(self) -> bool:
        try:
            # Under TLS a message of the protocol itself may have arrived: that is no data.
            return not wait(self._socket, READ, 0) or self._receive_now() is None
        except OSError:
            return False

    def close(self) -> None:
        self._socket.close()

    def _receive_now(self) -> bytes | None:
        try:
            return self._socket.recv(_RECEIVED_BYTES)
        except _NOT_YET:
            return None

    def _last_words(self) -> bytes:
        """What a server said before it closed the connection on a request that it had not read."""
        try:
            return self._receive_now() or b""
        except OSError:
            return b""

    def _wait(self, what: int, due: float) -> None:
        left = due - time.monotonic()
        with ended_by(partial(shut, self._socket)):
            if left <= 0 or not wait(self._socket, what, left):
                raise TimeoutError("timed out")


class TLSInTLSLink(BlockingLink):
    """A connection under TLS through a proxy that is itself spoken to under TLS.

    Rare, so left to urllib3, whose transport can only block: early answers are not noticed.
    """

    _socket: Any

    def __init__(
        self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str, due: float
    ) -> None:
        from urllib3.util.ssltransport import SSLTransport

        self._socket = outer
        self._limit(due)
        self._socket = SSLTransport(outer, context, server_hostname=host)

    async def send(self, parts: list[memoryview], due: float) -> bytes | None:
        self._limit(due)
        try:
            with ended_by(partial(shut, self._socket.socket)):
                self._socket.sendall(bytes(parts[0]))
        except ConnectionError:
            return b""
        del parts[0]
        return None

    async def receive(self, due: float) -> bytes:
        self._limit(due)
        with ended_by(partial(shut, self._socket.socket)):
            received: bytes = self._socket.recv(_RECEIVED_BYTES)
        return received

    async def is_quiet(self) -> bool:
        return not wait(self._socket, READ, 0)

    def _limit(self, due: float) -> None:
        left = due - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(None if left == inf else left)


class BlockingNetwork:
    """Opens connections for threads."""

    async def connect(
        self, host: str, port: int, due: float, judge: Judge | None = None
    ) -> BlockingLink:
        problem: OSError | None = None
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if judge is not None:
            judge(host, (str(address[0]) for *_, address in addresses))
        for index, (family, kind, protocol, _, address) in enumerate(addresses):
            # One address that swallows all must not use up the time of those after it.
            share = (due - time.monotonic()) / (len(addresses) - index)
            opened = socket.socket(family, kind, protocol)
            try:
                opened.settimeout(None if share == inf else max(share, 0.001))
                set_options(opened)
                with ended_by(partial(shut, opened)):
                    opened.connect(address)
                return BlockingLink(opened)
            except OSError as error:
                opened.close()
                problem = error
            except BaseException:
                opened.close()
                raise
        raise problem or OSError(f"no address for {host}")

    async def connect_by_socks(
        self, proxy: Proxy, host: str, port: int, due: float
    ) -> BlockingLink:
        from inference_sdk.http.transport import socks

        opened = socks.connect(proxy, host, port, due)
        set_options(opened)
        return BlockingLink(opened)
