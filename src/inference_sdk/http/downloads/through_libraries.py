"""Downloads through `requests` and aiohttp, for whoever listens in there: tests, tapes, monitoring.

See `transport.interception`. The policy is the same: the text of each URL is judged before, and
addresses where a connection is made, so that the invented hosts of tests need no DNS.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import aiohttp
import requests
from requests.adapters import HTTPAdapter

from inference_sdk.http.answers import Answer
from inference_sdk.http.downloads import failures
from inference_sdk.http.downloads.aiohttp_resolver import ValidatingResolver
from inference_sdk.http.downloads.destinations import Destination
from inference_sdk.http.downloads.following import Arrived, Budget, Hop
from inference_sdk.http.downloads.policy import AddressRules
from inference_sdk.http.downloads.requests_adapter import SSRFProtectedHTTPAdapter
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.faults import translate
from inference_sdk.http.transport.connection_settings import ConnectionSettings
from inference_sdk.http.transport.interception import adapters_are_intercepted
from inference_sdk.http.transport.links import run_blocking
from inference_sdk.http.transport.through_requests import as_response

_CHUNK_BYTES = 2**16

# Of connections only: a disk that is full or a CA bundle that is not there stays an OSError.
_ASYNC_ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


class _Session(requests.Session):
    """Leaves redirects to the caller; requests would prepare them even where it does not follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - none has one
        return None


class _Adapter(SSRFProtectedHTTPAdapter):
    """What nobody took from the session is asked for over our own connections."""

    def __init__(
        self, own: Hop, destination: Destination, rules: AddressRules, budget: Budget
    ) -> None:
        super().__init__(allow_non_global_addresses=rules.allow_non_global)
        self._ask = partial(own, destination, rules, budget)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        if adapters_are_intercepted():
            # The pool judges; looking the name up here would ask the DNS for those of tests.
            return HTTPAdapter.send(self, request, *args, **kwargs)
        arrived = run_blocking(self._ask())
        headers = {
            name: value
            for name, value in arrived.headers.items()
            if name.lower() != "content-encoding"  # it is unpacked
        }
        answer = Answer(arrived.status, "", request.url or "", headers, arrived.content)
        return as_response(answer, request)


async def hop_by_requests(
    own: Hop, destination: Destination, rules: AddressRules, budget: Budget
) -> Arrived:
    """Ask through a session of requests, blocking."""
    url, settings = destination.url, _settings(destination)
    try:
        with _Session() as session:
            # The environment is read by `connection_settings`.
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(own, destination, rules, budget))
            limits = (budget.time.connect, budget.time.silence)
            with session.get(
                url, stream=True, allow_redirects=False, timeout=limits, **settings.for_requests()
            ) as response:
                body = budget.sink_for(url, response.status_code, _unpacked(response.headers))
                for chunk in response.iter_content(_CHUNK_BYTES):
                    body.add(chunk)
                return Arrived(response.status_code, response.headers, body.content())
    except requests.RequestException as error:
        failure = _lost(error, url, budget)
    raise failure


async def hop_by_aiohttp(destination: Destination, rules: AddressRules, budget: Budget) -> Arrived:
    """Ask through a session of aiohttp."""
    url, settings = destination.url, _settings(destination)
    # The resolver is asked for the proxy's name too, which mostly is inside, and rightly so.
    resolver = None if settings.proxy else ValidatingResolver(rules.allow_non_global)
    limits = aiohttp.ClientTimeout(
        total=None, connect=budget.time.connect, sock_read=budget.time.silence
    )
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=limits,
            ) as session,
            session.get(
                url, allow_redirects=False, **settings.for_aiohttp(tls=url.startswith("https:"))
            ) as response,
        ):
            body = budget.sink_for(url, response.status, _unpacked(response.headers))
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body.add(chunk)
            return Arrived(response.status, response.headers, body.content())
    except _ASYNC_ERRORS as error:
        failure = _lost(error, url, budget)
    raise failure


def _settings(destination: Destination) -> ConnectionSettings:
    return ConnectionSettings.of(destination.url, InferenceConfiguration())


def _unpacked(headers: Any) -> dict[str, str]:
    """The headers that say what follows; the library has unpacked it."""
    return {name: headers[name] for name in ("Location",) if name in headers}


def _lost(error: Exception, url: str, budget: Budget) -> HTTPClientError:
    return failures.lost(translate(error, url), url, budget.time)
