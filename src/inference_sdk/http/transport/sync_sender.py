"""Sending for threads, with `requests`: a session that is tuned for large bodies and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.interruption import ended_by, shut
from inference_sdk.http.transport.body_parts import body_parts
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.transport.query import query_values
from inference_sdk.http.transport.redirects import judge_redirect
from inference_sdk.http.utils.masked_copies import text_of
from inference_sdk.http.utils.request_building import RequestData
from inference_sdk.utils.masking import guard_library_logs

ERRORS = (requests.RequestException, OSError)

KEPT_CONNECTIONS = 256
"""Idle connections kept for one server; what is used at once beyond that is opened anew."""

_silence: ContextVar[float | None] = ContextVar("_silence")
"""Seconds in which the server must take a part of the body.

urllib3 sends a whole body under the connect time-out, which is meant for a handshake: ten seconds
would end the upload of a few large pictures from a phone's network. It hands connections no other
limit, so the one that holds goes round it.
"""


_waits: ContextVar[ExitStack] = ContextVar("_waits")
"""What this exchange waits for, until it is over: see `interruption`."""


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _cut_with_scope(self)

    def send(self, data: Any) -> None:
        for part in _timed_parts(self, data):
            super().send(part)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _cut_with_scope(self)

    def send(self, data: Any) -> None:
        for part in _timed_parts(self, data):
            super().send(part)


def _timed_parts(connection: HTTPConnection, data: bytes) -> Iterator[bytes | memoryview]:
    if connection.sock is None:  # the request's head, which connects
        yield data
        return
    _cut_with_scope(connection)
    connection.sock.settimeout(_silence.get())
    yield from body_parts(data)


def _cut_with_scope(connection: HTTPConnection) -> None:
    assert connection.sock is not None, "it has been opened"  # noqa: S101
    _waits.get().enter_context(ended_by(partial(shut, connection.sock)))


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close(self) -> None:
        # urllib3 leaves it to the collector to close idle connections: kept open by whoever keeps
        # an answer, or an error in whose traceback there is one.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - it is no dict
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        location = super().get_redirect_target(resp)
        if location is not None:
            try:
                judge_redirect(resp.url, location, resp.request.method or "", resp.status_code)
            except HTTPClientError:
                resp.close()
                raise
        return location


def new_session() -> requests.Session:
    """A session that keeps connections, and neither cookies nor `.netrc` passwords."""
    guard_library_logs(("requests", "urllib3", "charset_normalizer"))
    session = _Session()
    session.mount("http://", _Adapter(pool_maxsize=KEPT_CONNECTIONS))
    session.mount("https://", _Adapter(pool_maxsize=KEPT_CONNECTIONS))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # The environment is read by `connection_settings`, once and not for each request.
    session.trust_env = False
    return session


def send(
    session: requests.Session,
    request: RequestData,
    method: RequestMethod,
    timeout: tuple[float | None, float | None],
    settings: dict[str, Any],
) -> requests.Response:
    """Send once; the answer is read to its end.

    Raises:
        requests.RequestException: there was no complete answer.
        InvalidParameterError: the payload is no JSON.
    """
    data: Any = request.data if request.payload is None else encode_json(request.payload)
    prepared = requests.PreparedRequest()
    prepared.prepare(
        method=method.value.upper(),
        url=request.url,
        headers={**session.headers, **(request.headers or {})},
        params=query_values(request.parameters),
        data=data.encode() if isinstance(data, str) else data,
    )
    token = _silence.set(timeout[1])
    try:
        with ExitStack() as waits:
            _waits.set(waits)
            return session.send(prepared, timeout=timeout, **settings)
    finally:
        _silence.reset(token)


def answer(response: requests.Response) -> Answer:
    return Answer(
        status=response.status_code,
        reason=text_of(response.reason),
        url=response.url,
        headers=response.headers,
        content=response.content,
        response=response,
    )
