"""Which TURN servers answer from here: a STUN binding request over the server's own transport.

aiortc uses the first TURN address it is given. One that a firewall blocks costs the connection,
though the next one, over TCP or TLS, may work.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import struct
from typing import TYPE_CHECKING, Optional, cast

if TYPE_CHECKING:
    from aiortc import RTCConfiguration, RTCIceServer

TURN_PROBE_TIMEOUT = 2.0
"""Seconds, for all addresses together: they are asked side by side."""

_HEADER = struct.Struct("!HHI12s")
STUN_HEADER_LENGTH = _HEADER.size
_BINDING_REQUEST = 0x0001
_BINDING_ANSWERS = (0x0101, 0x0111)
"""Success and error: a server that says no is there all the same."""

_MAGIC_COOKIE = 0x2112A442


async def probe_turn_url(url: str) -> bool:
    """Whether a server answers at `stun:`, `turn:` or `turns:` `host[:port][?transport=…]`.

    Takes as long as the network does: bound it with a time-out.
    """
    from aiortc.rtcicetransport import parse_stun_turn_uri

    try:
        address = parse_stun_turn_uri(url)
    except ValueError:
        return False
    secure = address["scheme"] in ("turns", "stuns")
    stream = secure or address.get("transport", "udp") == "tcp"
    request = _binding_request()
    try:
        if stream:
            answer = await _ask_stream(address["host"], address["port"], request, secure)
        else:
            answer = await _ask_datagram(address["host"], address["port"], request)
    except (OSError, asyncio.IncompleteReadError):
        return False
    return _answers(answer, request)


async def prefer_reachable_turn(
    config: Optional[RTCConfiguration], *, timeout: float = TURN_PROBE_TIMEOUT
) -> Optional[RTCConfiguration]:
    """Put the first TURN address that answers before all others.

    Args:
        config: is not changed.
        timeout: seconds, for all addresses together.

    Returns:
        A configuration with one address moved to the front; `config` itself where there is
        nothing to choose, or none answers.
    """
    servers = (config.iceServers if config is not None else None) or []
    turn_urls = [url for server in servers for url in urls_of(server) if url.startswith("turn")]
    if config is None or len(turn_urls) < 2:
        return config
    chosen = await _first_reachable(turn_urls, timeout)
    return config if chosen is None else _with_first(config, chosen)


def urls_of(server: RTCIceServer) -> list[str]:
    return [server.urls] if isinstance(server.urls, str) else list(server.urls)


async def _first_reachable(urls: list[str], timeout: float) -> Optional[str]:
    """The first in the order given, which says what the service prefers."""
    probes = [asyncio.ensure_future(probe_turn_url(url)) for url in urls]
    deadline = asyncio.get_running_loop().time() + timeout
    try:
        for url, probe in zip(urls, probes, strict=True):
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait([probe], timeout=left)
            if probe.done() and not probe.exception() and probe.result():
                return url
        return None
    finally:
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)


def _with_first(config: RTCConfiguration, url: str) -> RTCConfiguration:
    import dataclasses

    first: list[RTCIceServer] = []
    rest: list[RTCIceServer] = []
    for server in config.iceServers or []:
        others = [other for other in urls_of(server) if other != url]
        if len(others) < len(urls_of(server)) and not first:
            first.append(dataclasses.replace(server, urls=[url]))
        else:
            others = urls_of(server)
        if others:
            rest.append(dataclasses.replace(server, urls=others))
    return dataclasses.replace(config, iceServers=[*first, *rest])


def _binding_request() -> bytes:
    return _HEADER.pack(_BINDING_REQUEST, 0, _MAGIC_COOKIE, os.urandom(12))


def _answers(answer: bytes, request: bytes) -> bool:
    if len(answer) < STUN_HEADER_LENGTH:
        return False
    kind, _, cookie, transaction = _HEADER.unpack_from(answer)
    return kind in _BINDING_ANSWERS and cookie == _MAGIC_COOKIE and transaction == request[8:20]


async def _ask_stream(host: str, port: int, request: bytes, secure: bool) -> bytes:
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.readexactly(STUN_HEADER_LENGTH)
    finally:
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Sends a request, and again until something comes back: packets get lost."""

    RESEND_SECONDS = 0.5

    def __init__(self, request: bytes) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._request = request
        self._timer: Optional[asyncio.TimerHandle] = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._send(cast(asyncio.DatagramTransport, transport))

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        if not self.answer.done() and _answers(data, self._request):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)

    def connection_lost(self, exc: Optional[Exception]) -> None:  # noqa: ARG002
        if self._timer is not None:
            self._timer.cancel()
        self.answer.cancel()

    def _send(self, transport: asyncio.DatagramTransport) -> None:
        transport.sendto(self._request)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.RESEND_SECONDS, self._send, transport)


async def _ask_datagram(host: str, port: int, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Datagrams(request), remote_addr=(host, port)
    )
    try:
        return await protocol.answer
    finally:
        transport.close()
