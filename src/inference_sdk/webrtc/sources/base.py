"""What every source has in common: the three methods of a source, and what a session asks of it.

A source adds its tracks or channels to a peer connection and says what the worker must know.
Knows nothing of signalling, nor of what comes back.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Optional, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from inference_sdk.http.errors import InvalidParameterError

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig


_SHORTEST_SECRET = 4
_SECRET = re.compile("pass|pwd|token|key|secret|sig|auth|cred", re.IGNORECASE)


class SourceMonitor(Protocol):
    """Where a source reports to. All methods may be called from any thread."""

    def active(self) -> None:
        """Something went to the worker: the wait for the first frame starts anew."""

    def sent(self, ticks: int, at: float) -> None:
        """A frame went to the encoder: its time in 1/90000 s, and when it was captured."""

    def skipped(self) -> None:
        """A frame was dropped for a newer one."""

    def ended(self, error: Optional[BaseException] = None) -> None:
        """Nothing more will be sent; with an error, because something failed."""


class StreamSource(ABC):
    """Something to stream. Subclass it to stream something of your own.

    Attributes:
        live: whether the stream can be started again after a lost connection, and has no end
            of its own.
        monitor: set by the session before it starts the source.
    """

    live: bool = True
    monitor: Optional[SourceMonitor] = None

    @abstractmethod
    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        """Add tracks, channels or receivers. Called anew, after `cleanup`, for a new start."""

    @abstractmethod
    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:
        """Fields of the request that starts the worker; they win over the session's own.

        What comes back follows from what is sent: without `stream_output` the configured pictures
        come as data, where `data_output` names them; else they come over a video track.
        """

    async def cleanup(self) -> None:  # noqa: B027 - a hook that may stay empty
        """Give back what `configure_peer_connection` took. Safe to call twice."""

    async def prepare(self) -> None:  # noqa: B027 - a hook that may stay empty
        """Check what can be checked before anything is sent to a server."""

    async def begin(self) -> None:  # noqa: B027 - a hook that may stay empty
        """Called when the worker answered, as a task of its own."""

    def has_input(self) -> bool:
        """Whether the worker has been given something to answer to."""
        return True


def secrets_of_source(source: StreamSource) -> tuple[str, ...]:
    """What of a source's address may stand in no message: its password, and its query.

    Cameras take passwords in either; a worker that cannot read an address repeats all of it.
    """
    secrets: list[str] = []
    for address in (getattr(source, "url", None), getattr(source, "path", None)):
        if isinstance(address, str) and "://" in address:
            with suppress(ValueError):  # not an address after all
                parts = urlsplit(address)
                secrets += [parts.query, parts.password or "", unquote(parts.password or "")]
                secrets += [value for name, value in parse_qsl(parts.query) if _SECRET.search(name)]
    # Less than four letters are part of many a word.
    return tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)


def require_scheme(url: str, schemes: tuple[str, ...], source: str) -> str:
    """Check how an address begins; upper case counts too.

    Raises:
        InvalidParameterError: it begins with none of `schemes`.
    """
    if not isinstance(url, str) or not url.lower().startswith(schemes):
        scheme = str(url).partition("://")[0] if "://" in str(url) else "none"
        raise InvalidParameterError(
            f"{source} needs an address that begins with {' or '.join(schemes)}; "
            f"this one's scheme is {scheme!r}."
        )
    return url
