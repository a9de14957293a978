"""Opening a connection: directly, through a tunnel of a proxy, or by SOCKS; TLS where it belongs."""

from __future__ import annotations

import ssl

from inference_sdk.http import faults
from inference_sdk.http.transport import failures
from inference_sdk.http.transport.answer_reading import Incoming, NotHTTPError
from inference_sdk.http.transport.limits import TimeLimits
from inference_sdk.http.transport.links import Link, Network
from inference_sdk.http.transport.ways import Proxy, Way


async def open_link(network: Network, way: Way, url: str, limits: TimeLimits) -> Link:
    """A connection that requests can be sent on.

    Raises:
        HTTPServerConnectionError: there is none.
        HTTPClientError: the server's certificate is not trusted.
    """
    due = limits.connecting_ends()
    link = await _connect(network, way, url, limits, due)
    try:
        proxy = way.proxy
        if proxy is not None and proxy.scheme == "https":
            link = await _shake_hands(link, way.tls, proxy.host, str(proxy), limits, due)
        if proxy is not None and way.is_secure and not proxy.is_socks:
            await _ask_for_tunnel(link, way, proxy, url, limits, due)
        if way.is_secure:
            link = await _shake_hands(link, way.tls, way.host, url, limits, due)
    except BaseException:
        link.close()
        raise
    return link


async def _connect(network: Network, way: Way, url: str, limits: TimeLimits, due: float) -> Link:
    proxy = way.proxy
    try:
        if proxy is None:
            return await network.connect(way.host, way.port, due, way.judge)
        if proxy.is_socks:
            return await network.connect_by_socks(proxy, way.host, way.port, due)
        return await network.connect(proxy.host, proxy.port, due)
    except (OSError, UnicodeError) as error:  # a label of a host's name may be too long
        failure = failures.in_connecting(error, url, proxy and str(proxy), limits)
    raise failure


async def _shake_hands(
    link: Link, context: ssl.SSLContext, host: str, url: str, limits: TimeLimits, due: float
) -> Link:
    try:
        return await link.start_tls(context, host, due)
    except (OSError, ValueError) as error:  # ssl: a name that cannot be one of a server
        failure = failures.in_handshake(error, url, limits)
    raise failure


async def _ask_for_tunnel(
    link: Link, way: Way, proxy: Proxy, url: str, limits: TimeLimits, due: float
) -> None:
    host = f"[{way.host}]" if ":" in way.host else way.host
    place = f"{host}:{way.port}"
    asked = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{proxy.authorization}\r\n"
    parts = [memoryview(asked.encode("latin-1"))]
    incoming = Incoming(link, TimeLimits(limits.connect, limits.connect, due))
    try:
        await incoming.send(parts)
        incoming.request_is_sent()
        while (head := incoming.final_head()) is None:
            await incoming.more()
    except (OSError, NotHTTPError) as error:
        failure = failures.in_connecting(error, url, str(proxy), limits)
    else:
        if 200 <= head.status < 300 and not incoming.buffer:
            return
        answer = f"{head.status} {head.reason}"
        failure = faults.behind_proxy(url, f"it answers {answer}", str(proxy))
    raise failure
