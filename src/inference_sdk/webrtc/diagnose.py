"""What of a stream's way to the worker works from here, and what to do about the rest.

Each check asks one thing, bounded in time, and all run side by side. No worker is started.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from inference_sdk.webrtc.errors import WebRTCStartError
from inference_sdk.webrtc.signalling import Server, find_ice_servers
from inference_sdk.webrtc.turn_probe import probe_turn_url

if TYPE_CHECKING:
    import aiohttp

    from inference_sdk.webrtc.config import StreamConfig

PUBLIC_STUN_URL = "stun:stun.l.google.com:19302"
"""What aiortc asks when it is given no server."""

CHECK_TIMEOUT = 5.0

_MARKS = {True: "ok", False: "failed", None: "not checked"}


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: "signalling", "stun", "turn over udp", "turn over tcp", "turn over tls" or
            "turn configuration".
        ok: whether it works; None when there was nothing to try.
        detail: what was found.
        advice: what to do; empty when there is nothing to do.
    """

    name: str
    ok: Optional[bool]
    detail: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" → {self.advice}" if self.advice else ""
        return f"{self.name}: {_MARKS[self.ok]}. {self.detail}{advice}"


@dataclass(frozen=True)
class Diagnosis:
    """What works, and what to do. Print it."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether a stream has a chance: the server answers, and no TURN transport is needed
        that does not work.
        """
        signalling = any(check.name == "signalling" and check.ok for check in self.checks)
        turn = [check.ok for check in self.checks if check.name.startswith("turn over")]
        return signalling and (any(turn) or False not in turn)

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.checks)


async def diagnose(
    server: Server, config: StreamConfig, *, stun_url: str = PUBLIC_STUN_URL
) -> Diagnosis:
    """Try signalling, STUN, and TURN over UDP, TCP and TLS."""
    import aiohttp

    async with aiohttp.ClientSession(trust_env=True) as http:
        urls, problem = await _ice_urls(http, server, config)
        stun = next((url for url in urls if url.startswith("stun")), stun_url)
        checks = await asyncio.gather(
            _signalling(http, server),
            _stun(stun),
            *(_turn(kind, _urls_over(urls, kind)) for kind in ("udp", "tcp", "tls")),
        )
    return Diagnosis((*checks, *problem))


async def _ice_urls(
    http: aiohttp.ClientSession, server: Server, config: StreamConfig
) -> tuple[list[str], list[Check]]:
    try:
        servers = await find_ice_servers(http, server, config)
    except WebRTCStartError as error:
        return [], [Check("turn configuration", False, str(error), "Correct turn_server.")]
    return [url for ice_server in servers for url in ice_server.urls], []


async def _signalling(http: aiohttp.ClientSession, server: Server) -> Check:
    """A GET where only POST is served: the server says 405 when it knows the address."""
    import aiohttp

    name, url = "signalling", server.worker_url
    timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT)
    try:
        async with http.get(url, timeout=timeout, allow_redirects=False) as response:
            status = response.status
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        reason = server.mask(error) or type(error).__name__
        return Check(
            name,
            False,
            f"{server.shown} cannot be reached ({reason}).",
            "Check the address, that the server runs, and proxies.",
        )
    if status == 404:
        return Check(
            name,
            False,
            f"{server.shown} answers, and has no {url.rpartition('/')[2]}.",
            "Use a server with WebRTC, and see that its worker is switched on.",
        )
    return Check(name, True, f"{server.shown} answers and knows WebRTC (status {status}).")


async def _stun(url: str) -> Check:
    if await _reachable(url):
        return Check("stun", True, f"{url} answers.")
    return Check(
        "stun",
        False,
        f"{url} does not answer.",
        "UDP to the internet may be blocked: only servers nearby or TURN over TCP or TLS work.",
    )


async def _turn(kind: str, urls: list[str]) -> Check:
    name = f"turn over {kind}"
    if not urls:
        return Check(name, None, "No such address is configured.")
    answers = await asyncio.gather(*(_reachable(url) for url in urls))
    working = [url for url, answered in zip(urls, answers, strict=True) if answered]
    if working:
        return Check(name, True, f"{', '.join(working)} answers.")
    return Check(
        name,
        False,
        f"No answer from {', '.join(urls)}.",
        f"Open {kind.upper()} to it in the firewall, or use another TURN transport.",
    )


def _urls_over(urls: list[str], kind: str) -> list[str]:
    return [url for url in urls if url.startswith("turn") and _transport_of(url) == kind]


def _transport_of(url: str) -> str:
    if url.startswith("turns:"):
        return "tls"
    return "tcp" if "transport=tcp" in url else "udp"


async def _reachable(url: str) -> bool:
    try:
        return await asyncio.wait_for(probe_turn_url(url), CHECK_TIMEOUT)
    except asyncio.TimeoutError:
        return False
