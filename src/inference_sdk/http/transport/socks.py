"""Connections through SOCKS proxies, by python-socks, which knows both worlds."""

from __future__ import annotations

import socket
import time
from math import inf
from typing import Any

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.transport.ways import Proxy

try:
    from python_socks import ProxyError, ProxyType
    from python_socks.async_.asyncio import Proxy as LoopProxy
    from python_socks.sync import Proxy as BlockingProxy
except ImportError:
    raise InvalidParameterError(
        "A SOCKS proxy needs python-socks: pip install 'inference-sdk[socks]'. If the proxy is "
        "that of the environment and not meant for this, pass proxy='' in InferenceConfiguration."
    ) from None

_NAMES_AT_PROXY = ("socks5h", "socks4a")
"""Here the proxy looks the server's name up; with the other schemes, this machine does."""


def connect(proxy: Proxy, host: str, port: int, due: float) -> socket.socket:
    """A socket that leads to the server.

    Raises:
        OSError: there is none.
    """
    try:
        return BlockingProxy.create(**_arguments(proxy)).connect(host, port, timeout=_left(due))
    except ProxyError as error:
        refusal = OSError(f"it refuses: {error}")
    raise refusal


async def connect_async(proxy: Proxy, host: str, port: int, due: float) -> socket.socket:
    """The twin of `connect`, on the running event loop."""
    try:
        return await LoopProxy.create(**_arguments(proxy)).connect(host, port, timeout=_left(due))
    except ProxyError as error:
        refusal = OSError(f"it refuses: {error}")
    raise refusal


def _arguments(proxy: Proxy) -> dict[str, Any]:
    kind = ProxyType.SOCKS4 if proxy.scheme.startswith("socks4") else ProxyType.SOCKS5
    return {
        "proxy_type": kind,
        "host": proxy.host,
        "port": proxy.port,
        "username": proxy.user,
        "password": proxy.password,
        "rdns": proxy.scheme in _NAMES_AT_PROXY,
    }


def _left(due: float) -> float | None:
    left = due - time.monotonic()
    return None if left == inf else max(left, 0.001)
