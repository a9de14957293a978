"""Whether somebody listens in on `requests` or aiohttp, as tests and monitoring do.

Neither library sends our requests, but users' tests intercept them there (requests-mock, responses,
vcrpy, aioresponses, aresponses), and so does monitoring (OpenTelemetry). They replace functions and
classes of the library; while one is replaced, requests go through it. A library that is not even
imported intercepts nothing.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any


def requests_is_intercepted() -> bool:
    """Whether a function of `requests` that sends is not its own."""
    sessions = sys.modules.get("requests.sessions")
    if sessions is None:
        return False
    session = sessions.Session
    is_own = _is_of(session.get_adapter, sessions) and _is_of(session.send, sessions)
    return not is_own or adapters_are_intercepted()


def adapters_are_intercepted() -> bool:
    """Whether that function is one below the session, where answers come from a test or a tape."""
    adapters = sys.modules.get("requests.adapters")
    pools = sys.modules.get("urllib3.connectionpool")
    if adapters is None or pools is None:
        return False
    kinds = (pools.HTTPConnectionPool.ConnectionCls, pools.HTTPSConnectionPool.ConnectionCls)
    is_own = all(kind.__module__.startswith("urllib3.") for kind in kinds)
    return not (is_own and _is_of(adapters.HTTPAdapter.send, adapters))


def aiohttp_is_intercepted() -> bool:
    """Whether a function of aiohttp that sends is not its own."""
    client = sys.modules.get("aiohttp.client")
    connector = sys.modules.get("aiohttp.connector")
    if client is None or connector is None:
        return False
    return not (
        _is_of(client.ClientSession._request, client)
        and _is_of(client.ClientSession.__init__, client)
        and _is_of(connector.TCPConnector._resolve_host, connector)
    )


def _is_of(function: Any, module: ModuleType) -> bool:
    # By the file of its code: a wrapper may carry the name and the module of what it wraps.
    return type(function) is FunctionType and function.__code__.co_filename == module.__file__
