"""Sending through aiohttp: for whoever listens in there, or gives a session of their own.

See `interception`. The arguments are those that tests of existing users look for.
"""

from __future__ import annotations

import asyncio
import socket
import time
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import payload
from aiohttp.abc import AbstractResolver, ResolveResult

from inference_sdk.http import faults
from inference_sdk.http.answers import Answer
from inference_sdk.http.deadlines import current_deadline
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.transport.body_decoding import Sink, TooLargeError
from inference_sdk.http.transport.connection_settings import ConnectionSettings
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.transport.limits import Limits
from inference_sdk.http.transport.outgoing import PART_BYTES
from inference_sdk.http.transport.query import query_values
from inference_sdk.http.transport.redirects import judge_redirect
from inference_sdk.http.workers import beside_loop
from inference_sdk.utils.masking import guard_library_logs

if TYPE_CHECKING:
    from inference_sdk.http.entities import InferenceConfiguration
    from inference_sdk.http.utils.request_building import RequestData

ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, OSError)

DEFAULT_TIMEOUT = (10.0, 120.0)

BUFFERED_BYTES = 2**16
"""What asyncio buffers for a connection before it makes the writer wait."""


class _LargeBody(payload.BytesPayload):
    """A body that has to wait for the server to take it, and waits no longer than for an answer.

    aiohttp starts its read time-out only when a body is sent, and would wait for ever on a server
    that does not read. Nor does it warn about the size of this one: the body goes in parts, so it
    does not hold up the loop.
    """

    def __init__(self, body: bytes, content_type: str) -> None:
        payload.Payload.__init__(self, body, content_type=content_type)
        self._size = len(body)

    async def write(self, writer: Any) -> None:
        transport = writer.transport
        try:
            body = memoryview(self._value)
            for start in range(0, len(body), PART_BYTES):
                writer.protocol.start_timeout()
                await writer.write(body[start : start + PART_BYTES])
        except BaseException:
            # A transport that is closed waits until its buffer is sent: here, until the server
            # reads on. Nobody wants the rest, so the socket need not stay open for it.
            transport.abort()
            raise

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:  # noqa: ARG002 - it is the body's own
        await self.write(writer)


class _Resolver(AbstractResolver):
    """Looks hosts up beside the loop, also when the main thread has ended: asyncio then cannot."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await beside_loop(partial(look_up, flags=socket.AI_ADDRCONFIG))
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=family,
                proto=protocol,
                flags=flags,
            )
            for family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def new_session() -> aiohttp.ClientSession:
    """A session that keeps connections, and no cookies. How many is the callers' business."""
    guard_library_logs(("aiohttp", "asyncio"))
    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(_judge_redirect)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, resolver=_Resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        # A request that has no body has no type of one; aiohttp would call it a stream of bytes.
        skip_auto_headers=["Content-Type"],
        json_serialize=lambda body: encode_json(body).decode(),
        timeout=_client_timeout(DEFAULT_TIMEOUT),
        trace_configs=[redirects],
    )
    # Tries are counted in one place, by `operations.exchange`; aiohttp would double those of GET.
    session._retry_connection = False
    return session


def _client_timeout(
    timeout: tuple[float | None, float | None], total: float | None = None
) -> aiohttp.ClientTimeout:
    connect, read = timeout
    return aiohttp.ClientTimeout(total=total, connect=connect, sock_read=read)


async def _judge_redirect(
    session: aiohttp.ClientSession,  # noqa: ARG001 - aiohttp's signature
    context: SimpleNamespace,  # noqa: ARG001 - aiohttp's signature
    parameters: aiohttp.TraceRequestRedirectParams,
) -> None:
    headers = parameters.response.headers
    # aiohttp follows either, so both are judged.
    location = headers.get("Location") or headers.get("URI") or ""
    try:
        judge_redirect(str(parameters.url), location, parameters.method, parameters.response.status)
    except Exception:
        parameters.response.close()
        raise


async def exchange(
    session: aiohttp.ClientSession,
    request: RequestData,
    method: RequestMethod,
    configuration: InferenceConfiguration,
) -> Answer:
    """Send once; errors are the package's own.

    Raises:
        HTTPClientError: there was no complete answer.
    """
    timeout = (configuration.connect_timeout, configuration.read_timeout)
    limits = Limits.of(configuration, method)
    settings = ConnectionSettings.of(request.url, configuration).for_aiohttp(
        tls=request.url.startswith("https:")
    )
    # Not that of look-ups: users' tests compare the arguments.
    left = current_deadline() - time.monotonic()
    if timeout != DEFAULT_TIMEOUT or left < inf:
        settings["timeout"] = _client_timeout(timeout, None if left == inf else max(left, 0.001))
    try:
        return await send(session, request, method, settings, limits.largest)
    except TooLargeError:
        failure: HTTPClientError = faults.too_large(request.url, limits.largest)
    except ERRORS as error:
        if limits.time.are_over:
            failure = faults.out_of_time(request.url)
        else:
            failure = faults.translate(error, request.url, configuration.read_timeout)
    raise failure


async def send(
    session: aiohttp.ClientSession,
    request: RequestData,
    method: RequestMethod,
    settings: dict[str, Any],
    largest: int | None = None,
) -> Answer:
    """Send once; the answer is read to its end.

    The arguments given to aiohttp are those that tests of existing users look for with
    aioresponses; what is the same for all requests is set on the session instead.

    Raises:
        aiohttp.ClientError, asyncio.TimeoutError: there was no complete answer.
        InvalidParameterError: the payload is no JSON.
        TooLargeError: the answer has more than `largest` bytes.
    """
    open_request = session.get if method is RequestMethod.GET else session.post
    async with open_request(
        request.url, headers=request.headers, **_body(request), **settings
    ) as response:
        sink = Sink(largest)
        async for part in response.content.iter_any():
            sink.add(part)
        return Answer(
            status=response.status,
            reason=response.reason or "",
            url=str(response.url),
            headers=response.headers,
            content=sink.content(),
        )


def _body(request: RequestData) -> dict[str, Any]:
    """Query and body as arguments of aiohttp, which encodes a JSON body that is not large."""
    json: Any = request.payload
    data: Any = request.data
    encoded: bytes | None = None
    if json is not None:
        encoded = encode_json(json)
    elif data is not None:
        encoded = data.encode() if isinstance(data, str) else data
    if encoded is not None and len(encoded) > BUFFERED_BYTES:
        json, data = None, _LargeBody(encoded, "application/json")
    if request.request_elements:
        return {"data": data, "params": query_values(request.parameters), "json": json}
    return {"json": json} if data is None else {"data": data}
