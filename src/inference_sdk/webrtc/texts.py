"""Keeping a connection whose peer sends a text that is none.

aiortc (1.16) decodes texts of a data channel as UTF-8 where it receives them. One that is not ends
the whole connection, as if the peer had closed it in order: a stream would end without an error,
and without the rest of its results. There is no setting for it, so this module reaches inside;
where aiortc looks different from what is expected, it leaves all as is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    from aiortc import RTCSctpTransport

logger = get_logger("webrtc.texts")

_RECEIVE = "_data_channel_receive"


def skip_broken_texts(transport: RTCSctpTransport) -> bool:
    """Skip texts that cannot be decoded, with a word. Returns whether it will."""
    receive = getattr(transport, _RECEIVE, None)
    if receive is None:
        return False

    async def receive_or_skip(*message: Any) -> None:
        try:
            await receive(*message)
        except UnicodeDecodeError:
            logger.warning("Skipped a text of the worker that is no UTF-8.")

    setattr(transport, _RECEIVE, receive_or_skip)
    return True
