"""Asking a server for a worker: what is sent, where to, and what the answers mean.

Building the request and reading the answer are pure; sending uses aiohttp, on the session's own
event loop. Knows nothing of aiortc. No message holds the key.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlsplit

from inference_sdk.config import RF_API_BASE_URL
from inference_sdk.http.answers import api_message
from inference_sdk.http.endpoints import WEBRTC_WORKER
from inference_sdk.http.entities import ApiKeyTransport, is_hosted_api_url
from inference_sdk.http.errors import NO_MESSAGE
from inference_sdk.http.utils.requests import deduct_api_key_from_string, shown_url
from inference_sdk.utils.logging import get_logger
from inference_sdk.webrtc.errors import WebRTCStartError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from inference_sdk.webrtc.config import StreamConfig

logger = get_logger("webrtc.signalling")

TURN_CONFIG_PATH = "/webrtc_turn_config"

OFFER_TIMEOUT = 90.0
"""Seconds. A hosted server starts a worker process for the stream before it answers."""

MAX_ANSWER_BYTES = 1024 * 1024
"""A session description has some 10 KiB."""

TURN_CONFIG_TIMEOUT = 5.0
_CONNECT_TIMEOUT = 10.0
_MAX_QUOTED = 500

_NO_ROUTE = re.compile(
    r"\{.*|(404\W*)?not found\W*|.*\b(route|endpoint|url|method)\b.*", re.IGNORECASE | re.DOTALL
)
"""How servers say that they do not know an address at all; a `{` is JSON without a message."""

_OPTIONAL_SETTINGS = ("declared_fps", "requested_plan", "requested_region", "processing_timeout")


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server: its addresses, and how to log in."""

    urls: tuple[str, ...]
    username: Optional[str] = field(default=None, repr=False)
    credential: Optional[str] = field(default=None, repr=False)

    def to_wire(self) -> dict[str, Any]:
        return {"urls": list(self.urls), "username": self.username, "credential": self.credential}


@dataclass(frozen=True)
class SessionDescription:
    """An offer or an answer."""

    type: str
    sdp: str


@dataclass(frozen=True)
class Server:
    """Where a worker is asked for, and as whom.

    Attributes:
        api_url: address without a trailing slash.
        api_key: may be None, for servers of one's own.
        transport: how the key travels.
        secrets: what else stands in no message, such as a camera's password: servers repeat it.
    """

    api_url: str = field(repr=False)
    api_key: Optional[str] = field(default=None, repr=False)
    transport: ApiKeyTransport = ApiKeyTransport.LEGACY
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a user and password."""
        return shown_url(self.api_url)

    @property
    def worker_url(self) -> str:
        return self.api_url.rstrip("/") + WEBRTC_WORKER

    def headers(self) -> dict[str, str]:
        if self.api_key is None or self.transport is ApiKeyTransport.LEGACY:
            return {}
        return {"Authorization": f"Bearer {self.api_key}"}

    def key_field(self) -> dict[str, Optional[str]]:
        """The key as a field of a body or a query; empty where it travels only in a header."""
        return {} if self.transport is ApiKeyTransport.HEADER else {"api_key": self.api_key}

    def mask(self, text: object) -> str:
        """The text without the key, the other secrets, and users and passwords of addresses."""
        masked = str(text)
        for secret in (self.api_key, *self.secrets):
            masked = masked.replace(secret, "***") if secret else masked
        return deduct_api_key_from_string(masked)


def build_workflow_configuration(
    workflow: Mapping[str, Any], image_input: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """The workflow as the worker wants it.

    Args:
        workflow: {"workflow_specification": …} or {"workflow_id": …, "workspace_name": …}.
    """
    return {
        "type": "WorkflowConfiguration",
        "image_input_name": image_input,
        "workflows_parameters": dict(parameters),
        **workflow,
    }


def build_offer_body(
    server: Server,
    offer: SessionDescription,
    workflow_configuration: dict[str, Any],
    config: StreamConfig,
    ice_servers: list[IceServer],
    source_parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """The body that asks for a worker. The source's own parameters win over all others."""
    settings = {name: getattr(config, name) for name in _OPTIONAL_SETTINGS}
    ice = [ice_server.to_wire() for ice_server in ice_servers]
    return {
        **server.key_field(),
        "workflow_configuration": workflow_configuration,
        "webrtc_offer": {"type": offer.type, "sdp": offer.sdp},
        "webrtc_realtime_processing": config.realtime_processing,
        "stream_output": list(config.stream_output),
        "data_output": list(config.data_output),
        **({"webrtc_config": {"iceServers": ice}} if ice else {}),
        **{name: value for name, value in settings.items() if value},
        **source_parameters,
    }


def parse_ice_servers(config: object) -> list[IceServer]:
    """Read `{"iceServers": [...]}` or one bare server; `urls` is a string or a list.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(config, dict):
        raise ValueError(f"expected an object with iceServers or urls, got {type(config).__name__}")
    servers = config.get("iceServers", [config])
    if not isinstance(servers, list):
        raise ValueError("iceServers is not a list")
    return [_parse_ice_server(server) for server in servers]


def _parse_ice_server(server: object) -> IceServer:
    urls = server.get("urls") if isinstance(server, dict) else None
    listed = [urls] if isinstance(urls, str) else urls
    if not isinstance(server, dict) or not isinstance(listed, list) or not listed:
        raise ValueError("an ICE server without urls")
    if not all(isinstance(url, str) for url in listed):
        raise ValueError("urls of an ICE server that are no strings")
    return IceServer(tuple(listed), server.get("username"), server.get("credential"))


def secrets_of_turn(config: StreamConfig) -> tuple[str, ...]:
    """Credentials of the configured TURN servers; none where the configuration cannot be read."""
    try:
        servers = parse_ice_servers(config.turn_server or {"iceServers": []})
    except ValueError:
        return ()
    return tuple(str(server.credential) for server in servers if server.credential)


async def find_ice_servers(
    http: aiohttp.ClientSession, server: Server, config: StreamConfig
) -> list[IceServer]:
    """TURN servers: those of the configuration, else those of the hosted service, else none.

    Raises:
        WebRTCStartError: the configuration's `turn_server` cannot be read.
    """
    if config.turn_server:
        try:
            return parse_ice_servers(config.turn_server)
        except ValueError as error:
            raise WebRTCStartError(
                f"StreamConfig.turn_server cannot be read: {error}. The stream at "
                f"{server.shown} was not started."
            ) from error
    return await fetch_turn_config(http, server) if is_hosted_api_url(server.api_url) else []


async def fetch_turn_config(http: aiohttp.ClientSession, server: Server) -> list[IceServer]:
    """Ask the hosted service for TURN servers. A failure is logged: there may be a direct way."""
    import aiohttp
    import orjson

    url = f"{RF_API_BASE_URL}{TURN_CONFIG_PATH}"
    query = {name: value for name, value in server.key_field().items() if value is not None}
    timeout = aiohttp.ClientTimeout(total=TURN_CONFIG_TIMEOUT)
    try:
        async with http.get(
            url, params=query, headers=server.headers(), timeout=timeout, allow_redirects=False
        ) as response:
            response.raise_for_status()
            return parse_ice_servers(orjson.loads(await _read_bounded(response.content)))
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        reason = server.mask(error) or type(error).__name__
        logger.warning("No TURN servers from %s (%s); trying a direct way.", url, reason)
        return []


async def request_worker(
    http: aiohttp.ClientSession, server: Server, body: dict[str, Any]
) -> SessionDescription:
    """Send the offer; returns the answer.

    Raises:
        WebRTCStartError: no connection, no answer in time, or one that makes no sense.
    """
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=OFFER_TIMEOUT, connect=_CONNECT_TIMEOUT)
    url = shown_url(server.worker_url)
    try:
        async with http.post(
            server.worker_url,
            json=body,
            headers=server.headers(),
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            content = await _read_bounded(response.content)
            status = response.status
    except asyncio.TimeoutError as error:
        raise WebRTCStartError(
            f"{url} did not answer in time ({OFFER_TIMEOUT:.0f} s). Is the server overloaded?"
        ) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise WebRTCStartError(
            f"Could not reach {url}: {server.mask(error)}. Check the address, and that the "
            "server runs."
        ) from error
    return parse_answer(server, status, content)


async def _read_bounded(stream: aiohttp.StreamReader) -> bytes:
    """Read an answer, no more of it than makes sense."""
    content = bytearray()
    while len(content) < MAX_ANSWER_BYTES and (block := await stream.readany()):
        content += block
    return bytes(content)


def parse_answer(server: Server, status: int, content: bytes) -> SessionDescription:
    """Read the server's answer to an offer.

    Raises:
        WebRTCStartError: it is no answer.
    """
    import orjson

    url = shown_url(server.worker_url)
    if not 200 <= status < 300:
        raise _refusal(server, status, content)
    quoted = server.mask(content.decode("utf-8", "replace")).strip()[:_MAX_QUOTED]
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise WebRTCStartError(
            f"{url} answered with something other than JSON: {quoted!r}. Is there a proxy or "
            "another service at this address?"
        ) from error
    fields = answer if isinstance(answer, dict) else {}
    kind, sdp = fields.get("type"), fields.get("sdp")
    if kind != "answer" or not isinstance(sdp, str) or not sdp.strip():
        raise WebRTCStartError(f"{url} sent no session description (type and sdp): {quoted}.")
    return SessionDescription(kind, sdp)


def _refusal(server: Server, status: int, content: bytes) -> WebRTCStartError:
    """What the server said instead of an answer, in its own words, and what to do."""
    words = server.mask(api_message(content)).strip()
    if words == NO_MESSAGE:  # JSON of some other form
        words = server.mask(content.decode("utf-8", "replace")).strip()
    if words.startswith("<"):
        words = "a page of HTML"
    told = f": {words[:_MAX_QUOTED].rstrip('.')}" if words else ""
    advice = _advice(status, words if content.lstrip().startswith(b"{") else "")
    url = shown_url(server.worker_url)
    return WebRTCStartError(f"{url} answered with status {status}{told}. {advice}")


def _advice(status: int, words: str) -> str:
    """What to do about a refusal.

    Args:
        words: what the server says of it; empty where it does not speak as an inference server.
    """
    if status in (404, 405):
        if words and status == 404 and not _NO_ROUTE.fullmatch(words):
            return "Check the id and the workspace of the workflow, and the ids of its models."
        return (
            "This server may have no WebRTC: check the address, that the server is new enough, "
            "and that its WebRTC worker is switched on."
        )
    if 300 <= status < 400:
        return "The server moved: use the address that it points to."
    if status in (401, 403):
        return "Check the API key, and that it may run this workflow."
    return "Check the workflow and its parameters, and the server's log."


async def is_near(api_url: str) -> bool:
    """Whether the server is on this machine or in a private network, so that no STUN is needed.

    Asking a public STUN server would cost seconds where there is no way to the internet.
    """
    host = urlsplit(api_url).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    except (OSError, ValueError):
        return False
    return bool(addresses) and all(address.is_private for address in addresses)
