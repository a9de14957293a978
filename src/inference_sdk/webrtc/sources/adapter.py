"""A source of a user's own that is no `StreamSource`: it has the methods, and nothing else."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.webrtc.sources.base import StreamSource

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig

_NEEDED = ("configure_peer_connection", "get_initialization_params")


def as_source(source: object) -> StreamSource:
    """The source itself, or what makes one of an object with the methods of a source.

    Raises:
        InvalidParameterError: it lacks one of them.
    """
    if isinstance(source, StreamSource):
        return source
    missing = [name for name in _NEEDED if not callable(getattr(source, name, None))]
    if missing:
        raise InvalidParameterError(
            f"{type(source).__name__} is no source to stream: it has no {' and no '.join(missing)}. "
            "Use one of inference_sdk.webrtc, or subclass StreamSource."
        )
    return AdaptedSource(source)


class AdaptedSource(StreamSource):
    """Calls the methods that another object has; they may be coroutine functions or plain ones."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.url = getattr(source, "url", None)

    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        await _settled(self._source.configure_peer_connection(pc))

    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:
        params: dict[str, Any] = self._source.get_initialization_params(config)
        return params

    async def cleanup(self) -> None:
        if callable(cleanup := getattr(self._source, "cleanup", None)):
            await _settled(cleanup())


async def _settled(result: object) -> None:
    if inspect.isawaitable(result):
        await result
