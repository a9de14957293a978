"""What can go wrong with a stream, split by where it went wrong.

    WebRTCError (a RuntimeError)
    ├── WebRTCNotInstalledError    aiortc is not there (also an ImportError)
    ├── WebRTCStartError           the stream could not be started; the message names the server
    │   └── SourceError            ... because of the file, camera or address to be streamed
    ├── SourceNotRunningError      a frame for a source whose session does not run
    └── the stream ran, and then
        ├── WebRTCConnectionLostError  the worker, or the way to it, was lost
        ├── DataBacklogError           more data waited for its handlers than may wait
        └── FirstFrameTimeoutError     nothing came back in time (also a TimeoutError)

Messages carry no key: whoever builds one masks it first.
"""

from __future__ import annotations

from inference_sdk.http.errors import HTTPClientError


class WebRTCError(HTTPClientError, RuntimeError):
    """Base of what goes wrong with a stream."""


class WebRTCNotInstalledError(WebRTCError, ImportError):
    """A package that streaming needs is not installed."""


class WebRTCStartError(WebRTCError):
    """The stream could not be started."""


class SourceError(WebRTCStartError):
    """What should be streamed cannot be read."""


class SourceNotRunningError(WebRTCError):
    """A frame was given to a source whose session has not started yet, or is closed."""


class WebRTCConnectionLostError(WebRTCError):
    """The connection to the worker was lost while the stream ran."""


class DataBacklogError(WebRTCError):
    """More messages wait to be taken than `StreamConfig` allows. Data is never dropped instead."""


class FirstFrameTimeoutError(WebRTCError, TimeoutError):
    """The worker sent nothing, neither picture nor message, in `WEBRTC_INITIAL_FRAME_TIMEOUT`."""


def require_aiortc() -> None:
    """Check that aiortc and av can be imported.

    Raises:
        WebRTCNotInstalledError: they cannot; says what to install.
    """
    try:
        import aiortc  # noqa: F401
    except ImportError as error:
        raise WebRTCNotInstalledError(
            "Streaming needs aiortc and av, which are not installed: "
            f"pip install 'inference-sdk[webrtc]' ({error})."
        ) from error
