"""Which redirects are followed: those that stay with the host that was meant to get the key."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from inference_sdk.http import faults

_PORTS = {"http": 80, "https": 443}


_KEEPS_METHOD = frozenset({307, 308})


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
