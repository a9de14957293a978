"""Live video through a worker over WebRTC: what users import, loaded on first use.

Names come from their modules only when they are asked for, so that `import inference_sdk` and the
HTTP client never load aiortc, av or numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inference_sdk.utils.submodules import submodule

if TYPE_CHECKING:
    from inference_sdk.webrtc.client import WebRTCClient
    from inference_sdk.webrtc.config import ReconnectPolicy, StreamConfig
    from inference_sdk.webrtc.datachannel import UploadProgressCallback
    from inference_sdk.webrtc.errors import (
        DataBacklogError,
        FirstFrameTimeoutError,
        SourceError,
        SourceNotRunningError,
        WebRTCConnectionLostError,
        WebRTCError,
        WebRTCNotInstalledError,
        WebRTCStartError,
    )
    from inference_sdk.webrtc.session import SessionState, VideoMetadata, WebRTCSession
    from inference_sdk.webrtc.sources import (
        LocalStreamSource,
        ManualSource,
        MJPEGSource,
        RTSPSource,
        StreamSource,
        VideoFileSource,
        WebcamSource,
    )
    from inference_sdk.webrtc.stats import StreamStats

_HOMES = {
    "client": ("WebRTCClient",),
    "config": ("ReconnectPolicy", "StreamConfig"),
    "datachannel": ("UploadProgressCallback",),
    "errors": (
        "DataBacklogError",
        "FirstFrameTimeoutError",
        "SourceError",
        "SourceNotRunningError",
        "WebRTCConnectionLostError",
        "WebRTCError",
        "WebRTCNotInstalledError",
        "WebRTCStartError",
    ),
    "session": ("SessionState", "VideoMetadata", "WebRTCSession"),
    "sources": (
        "LocalStreamSource",
        "MJPEGSource",
        "ManualSource",
        "RTSPSource",
        "StreamSource",
        "VideoFileSource",
        "WebcamSource",
    ),
    "stats": ("StreamStats",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "DataBacklogError",
    "FirstFrameTimeoutError",
    "LocalStreamSource",
    "MJPEGSource",
    "ManualSource",
    "RTSPSource",
    "ReconnectPolicy",
    "SessionState",
    "SourceError",
    "SourceNotRunningError",
    "StreamConfig",
    "StreamSource",
    "StreamStats",
    "UploadProgressCallback",
    "VideoFileSource",
    "VideoMetadata",
    "WebRTCClient",
    "WebRTCConnectionLostError",
    "WebRTCError",
    "WebRTCNotInstalledError",
    "WebRTCSession",
    "WebRTCStartError",
    "WebcamSource",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        return submodule(__name__, name)
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
