"""Streams that the worker fetches itself: the client tells the address and receives video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.webrtc.sources.base import StreamSource, require_scheme

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

    from inference_sdk.webrtc.config import StreamConfig


class _PulledSource(StreamSource):
    """A stream by address; subclasses say which schemes, and under which name it is told."""

    _schemes: tuple[str, ...]
    _parameter: str

    def __init__(self, url: str) -> None:
        self.url = require_scheme(url, self._schemes, type(self).__name__)

    async def configure_peer_connection(self, pc: RTCPeerConnection) -> None:
        pc.addTransceiver("video", direction="recvonly")

    def get_initialization_params(self, config: StreamConfig) -> dict[str, Any]:  # noqa: ARG002
        return {self._parameter: self.url}


class RTSPSource(_PulledSource):
    """An RTSP camera that the worker can reach.

    Args:
        url: rtsp:// or rtsps://, with user and password where the camera wants them.

    Raises:
        InvalidParameterError: another scheme.
    """

    _schemes = ("rtsp://", "rtsps://")
    _parameter = "rtsp_url"


class MJPEGSource(_PulledSource):
    """A stream of JPEG pictures over HTTP that the worker can reach.

    Args:
        url: http:// or https://.

    Raises:
        InvalidParameterError: another scheme.
    """

    _schemes = ("http://", "https://")
    _parameter = "mjpeg_url"
