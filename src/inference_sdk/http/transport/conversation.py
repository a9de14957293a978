"""One request and its answer: on a connection that was kept, or on a new one.

Written once, as coroutines over a `Link`; see `links` for how a thread runs them. What goes wrong
is told here, since only here it is known how far the request had come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from inference_sdk.http.observing import Phase, count, timed
from inference_sdk.http.transport import failures
from inference_sdk.http.transport.answer_reading import (
    Head,
    Incoming,
    NotHTTPError,
    Reply,
    read_head_and_body,
)
from inference_sdk.http.transport.body_decoding import (
    Sink,
    TooLargeError,
    UnreadableBodyError,
    sink_for,
)
from inference_sdk.http.transport.kept_links import KeptLinks
from inference_sdk.http.transport.limits import Limits
from inference_sdk.http.transport.links import Link, Network
from inference_sdk.http.transport.opening import open_link
from inference_sdk.http.transport.outgoing import Outgoing
from inference_sdk.http.transport.ways import Way


@dataclass(frozen=True)
class Lines:
    """Connections of one owner: those that are kept, and how new ones are opened."""

    network: Network
    kept: KeptLinks = field(default_factory=KeptLinks)


async def converse(
    lines: Lines,
    way: Way,
    request: Outgoing,
    limits: Limits,
    sink_of: Callable[[Head], Sink] | None = None,
) -> Reply:
    """Send a request once; the answer is read to its end, into memory unless `sink_of` says else.

    Raises:
        HTTPClientError: there was no complete answer.
    """
    link = await lines.kept.take(way)
    if link is None:
        count(connections=1)
        with timed(Phase.CONNECTING):
            link = await open_link(lines.network, way, request.url, limits.time)
    keeps = False
    try:
        reply, keeps = await _exchange(
            link, way, request, limits, sink_of or partial(_sink_of, largest=limits.largest)
        )
    finally:
        if not keeps:
            link.close()
    if keeps:
        lines.kept.give(way, link, reply.headers, limits.idle)
    return reply


def _sink_of(head: Head, largest: int | None) -> Sink:
    return sink_for(head.headers.get("Content-Encoding"), largest)


async def _exchange(
    link: Link, way: Way, request: Outgoing, limits: Limits, sink_of: Callable[[Head], Sink]
) -> tuple[Reply, bool]:
    incoming = Incoming(link, limits.time)
    parts = request.parts(by_proxy=way.headers_for_proxy)
    size = sum(map(len, parts))
    try:
        with timed(Phase.SENDING):
            await incoming.send(parts)
        reply = await read_head_and_body(incoming, sink_of)
    except (OSError, NotHTTPError, TooLargeError, UnreadableBodyError) as error:
        failure = failures.in_exchange(error, request.url, limits, incoming.anything_came)
    else:
        # A server that answered before it had read all will take the rest for another request.
        return reply, reply.keeps and not parts
    finally:
        count(bytes_sent=size - sum(map(len, parts)), bytes_received=incoming.received)
    # Outside the handler: errors of the system may quote what the server sent.
    raise failure
