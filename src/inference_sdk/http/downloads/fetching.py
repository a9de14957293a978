"""Downloads over our own connections: judged, pinned, bounded, and kept from one to the next.

A download that a client needs goes over the client's connections, and ends with its call. One that
nobody's client needs goes over connections that the process keeps.

Where the environment sets a proxy for a URL, the proxy resolves the name: then names, and
addresses written into the URL, are judged here, and the rest is the proxy's to judge.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from inference_sdk.http.caller import Caller, current_caller
from inference_sdk.http.downloads import failures
from inference_sdk.http.downloads.following import Arrived, Budget, Download, Hop, follow
from inference_sdk.http.downloads.policy import AddressRules
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerDisconnectedError,
    InvalidURLImageInput,
    URLAddressNotAllowedError,
)
from inference_sdk.http.transport import Transport, interception
from inference_sdk.http.transport.connection_settings import ConnectionSettings, is_this_machine
from inference_sdk.http.transport.conversation import Lines, converse
from inference_sdk.http.transport.limits import Limits
from inference_sdk.http.transport.links import run_blocking
from inference_sdk.http.transport.outgoing import Address, address_of, getting
from inference_sdk.http.transport.ways import Way

if TYPE_CHECKING:
    from inference_sdk.http.downloads.destinations import Destination
    from inference_sdk.http.transport.answer_reading import Head
    from inference_sdk.http.transport.body_decoding import Sink

_IDLE_SECONDS = 55.0

_OWN_WORDS = (HTTPCallErrorError, InvalidURLImageInput, URLAddressNotAllowedError)


def fetch_url_bytes(url: str, request_timeout: float | None = None) -> bytes:
    """Download what a URL leads to.

    Args:
        url: http(s) URL.
        request_timeout: seconds of silence that end the download; 120 by default. Connecting
            may take 10 s, or this where it is less; the whole may take 300 s.

    Raises:
        InvalidURLImageInput: the policy refuses the URL, or one it is redirected to; or there is
            more than any picture holds.
        URLAddressNotAllowedError: a host on the way leads to an address that is refused.
        HTTPServerTimeoutError: no answer in time.
        HTTPServerConnectionError: no connection, or it was lost.
        HTTPCallErrorError: the status is 400 or more.
    """
    return download(url, request_timeout).content


async def fetch_url_bytes_async(url: str, request_timeout: float | None = None) -> bytes:
    """The twin of `fetch_url_bytes`."""
    return (await download_async(url, request_timeout)).content


def fetch_url_to_file(
    url: str, destination_path: str, request_timeout: float | None = None
) -> None:
    """Download what a URL leads to into a file, which is there whole or not at all.

    Of any size, and in any time as long as something comes.

    Raises:
        OSError: the file cannot be written.
        HTTPClientError: see `fetch_url_bytes`.
    """
    # Beside the destination: a rename is atomic only within one file system.
    partial_path = f"{destination_path}.{uuid.uuid4().hex}.part"
    try:
        with open(partial_path, "xb") as file:

            def write(part: bytes) -> None:
                try:
                    file.write(part)
                except OSError as error:  # which a connection would take for its own
                    raise _NotWrittenError(error) from error

            _run(url, AddressRules.current(), Budget.of_file(request_timeout, write), None)
        os.replace(partial_path, destination_path)
    except _NotWrittenError as error:
        raise error.error from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial_path)


class _NotWrittenError(Exception):
    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def download(
    url: str, request_timeout: float | None = None, rules: AddressRules | None = None
) -> Download:
    """As `fetch_url_bytes`, with what the answer says of itself.

    Args:
        url: http(s) URL.
        request_timeout: as of `fetch_url_bytes`.
        rules: which addresses may be connected to; by the settings unless given.
    """
    caller = current_caller()
    return _run(url, rules or _rules(caller), Budget.of_picture(request_timeout), caller)


async def download_async(
    url: str, request_timeout: float | None = None, rules: AddressRules | None = None
) -> Download:
    """The twin of `download`."""
    caller = current_caller()
    lines = await _transport(caller).lines_of_loop()
    hop: Hop = partial(_hop, lines)
    if interception.aiohttp_is_intercepted():
        from inference_sdk.http.downloads.through_libraries import hop_by_aiohttp as hop
    return await follow(hop, url, rules or _rules(caller), Budget.of_picture(request_timeout))


def _run(url: str, rules: AddressRules, budget: Budget, caller: Caller | None) -> Download:
    hop: Hop = partial(_hop, _transport(caller).lines_of_threads())
    if interception.requests_is_intercepted():
        from inference_sdk.http.downloads.through_libraries import hop_by_requests

        hop = partial(hop_by_requests, hop)
    return run_blocking(follow(hop, url, rules, budget))


def _rules(caller: Caller | None) -> AddressRules:
    if caller is None:
        return AddressRules.current()
    hosts = (address_of(url).host for url in caller.api_urls)
    return AddressRules.current(server_is_here=all(map(is_this_machine, hosts)))


def _transport(caller: Caller | None) -> Transport:
    return _of_process() if caller is None else caller.transport


@cache
def _of_process() -> Transport:
    return Transport()


async def _hop(
    lines: Lines, destination: Destination, rules: AddressRules, budget: Budget
) -> Arrived:
    url = destination.url
    settings = ConnectionSettings.of(url, _BY_ENVIRONMENT)
    way = _way(destination.address._replace(target="", user=None), settings, rules)
    limits = Limits(budget.time, budget.largest, _IDLE_SECONDS)

    def sink_of(head: Head) -> Sink:
        return budget.sink_for(url, head.status, head.headers)

    request = getting(url, destination.address)
    try:
        try:
            reply = await converse(lines, way, request, limits, sink_of)
        except HTTPServerDisconnectedError:
            # A host that gives up an idle connection may do so just as it is used again.
            reply = await converse(lines, way, request, limits, sink_of)
    except _OWN_WORDS:
        raise
    except HTTPClientError as error:
        failure = failures.lost(error, url, budget.time)
    else:
        return Arrived(reply.status, reply.headers, reply.content)
    raise failure


_BY_ENVIRONMENT = InferenceConfiguration()
"""Neither the proxy nor the certificates of a client are for the hosts of pictures."""


@lru_cache(maxsize=1024)
def _way(address: Address, settings: ConnectionSettings, rules: AddressRules) -> Way:
    """Always the same: connections are kept by it. Other rules are another way."""
    return Way.to(address, settings, rules.judge)
