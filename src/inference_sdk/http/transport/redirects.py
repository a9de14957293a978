"""Which redirects are followed: those that stay with the host that was meant to get the key."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from inference_sdk.http import faults
from inference_sdk.http.transport.answer_reading import Reply
from inference_sdk.http.transport.conversation import Lines, converse
from inference_sdk.http.transport.limits import Limits
from inference_sdk.http.transport.outgoing import Address, Outgoing, redirected
from inference_sdk.http.transport.ways import Way

MOST_REDIRECTS = 10

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})


async def follow(
    lines: Lines, request: Outgoing, limits: Limits, way_to: Callable[[Address], Way]
) -> tuple[str, Reply]:
    """Send a request, and again to where it is redirected; the last address, and its answer.

    Raises:
        HTTPClientError: there was no complete answer, or a redirect that is not followed.
    """
    for _ in range(MOST_REDIRECTS + 1):
        reply = await converse(lines, way_to(request.address), request, limits)
        location = _location(reply)
        if location is None:
            return request.url, reply
        judge_redirect(request.url, location, request.method, reply.status)
        request = redirected(request, urljoin(request.url, location))
    raise faults.redirects_without_end(request.url)


def _location(reply: Reply) -> str | None:
    if reply.status not in _REDIRECTS:
        return None
    text = reply.headers.get("Location") or None
    try:
        # Headers are read byte by byte; an address outside ASCII is meant as UTF-8.
        return text and text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def judge_redirect(url: str, location: str, method: str, status: int) -> None:
    """Refuse a redirect that would take a request elsewhere, or make another one of it.

    Statuses other than 307 and 308 turn a POST into a GET without a body, which no call means.

    Raises:
        HTTPClientError: names both addresses.
    """
    refuse_elsewhere(url, location)
    if method.upper() == "POST" and status not in _KEEPS_METHOD:
        raise faults.moved(url, urljoin(url, location))


def refuse_elsewhere(url: str, location: str) -> None:
    """Refuse a redirect to another host, port or to a weaker scheme.

    Raises:
        HTTPClientError: names both hosts.
    """
    try:
        target = urlsplit(urljoin(url, location))
        stays = _is_same_server(urlsplit(url), target)
    except ValueError:  # an IPv6 address without its bracket, a port that is no number
        raise faults.unreadable_redirect(url) from None
    if not stays:
        raise faults.elsewhere(url, target.geturl())


def _is_same_server(source: SplitResult, target: SplitResult) -> bool:
    upgrade = source.scheme == "http" and target.scheme == "https"
    same_port = _port(source) == _port(target) or (
        upgrade and _port(source) == _PORTS["http"] and _port(target) == _PORTS["https"]
    )
    same_scheme = source.scheme == target.scheme or upgrade
    return source.hostname == target.hostname and same_scheme and same_port


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)
