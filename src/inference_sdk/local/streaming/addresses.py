"""Which addresses a request may make this server connect to: the policy for URLs, for streams.

A request names cameras, and STUN and TURN servers. Whoever may send one is not thereby free to reach
what this machine reaches. The settings are those of images by URL (`http.downloads.policy`); where
they restrict addresses, a camera is opened at the address that was judged, not by its name again.
"""

from __future__ import annotations

import re
from dataclasses import replace

from inference_sdk import config
from inference_sdk.http.downloads.destinations import Destination
from inference_sdk.http.downloads.policy import AddressRules, judged
from inference_sdk.http.downloads.resolving import resolve_and_validate_ips
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.local.faults import RequestFault
from inference_sdk.local.streaming.request import IceServer, StreamRequest

_LIKE = {
    "rtsp": ("http", 554),
    "rtsps": ("https", 322),
    "http": ("http", 80),
    "https": ("https", 443),
}
"""What the policy, which is about http, takes the schemes of cameras for; and their ports."""

_ICE_URL = re.compile(
    r"(?:stun|turn)(?P<secure>s?):(?P<host>\[[^\]/?]+\]|[^:\[\]/?]+)(?::(?P<port>\d{1,5}))?(?:\?.*)?"
)
_ICE_PORTS = {"": 3478, "s": 5349}


class AddressRefusedError(RequestFault):
    """The request names an address that this server does not connect to."""


def judge(wanted: StreamRequest) -> StreamRequest:
    """The request with its camera's address as it is to be opened. Blocks: names are looked up.

    Raises:
        AddressRefusedError: it names an address that is malformed, or that the policy refuses.
    """
    for server in wanted.ice_servers:
        _judge_ice_server(server)
    if wanted.live_url is None:
        return wanted
    return _judge_camera(wanted, wanted.live_url)


def _judge_camera(wanted: StreamRequest, url: str) -> StreamRequest:
    scheme, userinfo, host, port, rest = _parts(url)
    like, usual_port = _LIKE[scheme]
    stand_in = f"{like}://{host}{port or f':{usual_port}'}{rest}"
    destination, addresses = _judged(stand_in, f"{scheme}://{host}{port}")
    if not addresses:
        return wanted
    address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    pinned = f"{scheme}://{userinfo}{address}:{destination.port}{rest}"
    return replace(wanted, live_url=pinned, live_host=f"{host}{port}")


def _parts(url: str) -> tuple[str, str, str, str, str]:
    """Scheme, user and password with their @, host, port with its colon, and the rest."""
    scheme, _, beyond = url.partition("://")
    authority, rest = re.fullmatch(r"([^/?#]*)(.*)", beyond, re.DOTALL).groups()  # type: ignore[union-attr]
    userinfo, at, place = authority.rpartition("@")
    port = re.search(r":\d*$", place)
    host = place if port is None else place[: port.start()]
    return scheme.lower(), userinfo + at, host, "" if port is None else port[0].rstrip(":"), rest


def _judge_ice_server(server: IceServer) -> None:
    for url in server.urls:
        found = _ICE_URL.fullmatch(url)
        if found is None:
            raise AddressRefusedError(f"{url[:200]!r} is no address of a STUN or TURN server.")
        port = found["port"] or _ICE_PORTS[found["secure"]]
        _judged(f"https://{found['host']}:{port}/", url.partition("?")[0])


def _judged(stand_in: str, shown: str) -> tuple[Destination, list[str]]:
    """Where a URL leads, and the addresses there, where not all are allowed."""
    if not config.ALLOW_URL_INPUT:
        raise AddressRefusedError(
            f"This server connects to no address that a request names ({shown[:200]}): "
            "ALLOW_URL_INPUT=false."
        )
    rules = AddressRules.current()
    try:
        destination = judged(stand_in, rules)
        if rules.allow_non_global and not rules.blocked:
            return destination, []
        return destination, resolve_and_validate_ips(
            destination.host, destination.port, rules.allow_non_global
        )
    except HTTPClientError as error:
        said = str(error).replace("The URL of an image", "The address")
        raise AddressRefusedError(
            f"This server does not connect to {shown[:200]}: {said}"
        ) from error
