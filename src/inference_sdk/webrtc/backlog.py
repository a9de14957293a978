"""What waits for the handlers of data: everything that came, in order, within two limits.

Data is never dropped to keep up. A worker in batch mode waits for acknowledgements; one of a live
stream does not, so what its handlers have not got to yet waits here. Who would need more than the
limits gets an error, not a gap. Messages that wait for long are held packed: what they cost is
then known, and a fraction of what their objects would cost. Knows nothing of threads' ends.
"""

from __future__ import annotations

import marshal
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.webrtc.errors import DataBacklogError

if TYPE_CHECKING:
    from inference_sdk.webrtc.messages import VideoMetadata

MESSAGE_OVERHEAD = 512
"""Bytes that a message costs besides its text, so that empty ones count too."""


class Backlog:
    """Counts the messages that wait, and the bytes of them, and knows when they are too many.

    Args:
        max_messages: messages that may wait.
        max_bytes: bytes that they may have.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self.messages = 0
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """Count a message in.

        Raises:
            DataBacklogError: too much waits now.
        """
        with self._lock:
            self.messages += 1
            self._bytes += size + MESSAGE_OVERHEAD
            exceeded = self.messages > self._max_messages or self._bytes > self._max_bytes
        if exceeded:
            raise self._error()

    def remove(self, size: int) -> None:
        """Count a message out, by the size that it was counted in with."""
        with self._lock:
            self.messages -= 1
            self._bytes -= size + MESSAGE_OVERHEAD

    def _error(self) -> DataBacklogError:
        return DataBacklogError(
            f"{self.messages} messages ({self._bytes / 1e6:.1f} MB) of the worker wait to be taken, "
            f"more than may wait ({self._max_messages}, {self._max_bytes / 1e6:.1f} MB): the "
            "handlers of on_data and on_error, or whoever takes the frames, are slower than the "
            "stream. Make them faster, ask for less in data_output, let a file be processed in "
            "batch mode, or raise StreamConfig.max_waiting_messages and max_waiting_bytes."
        )


@dataclass(frozen=True)
class Event:
    """Data, errors and metadata of one message, for the handlers.

    Attributes:
        data: outputs by name; None when the worker sent null, or when they are packed.
        size: bytes that it counts for while it waits.
        packed: `data` as bytes, once it has to wait.
    """

    data: Optional[dict[str, Any]]
    errors: tuple[str, ...]
    metadata: Optional[VideoMetadata]
    size: int
    packed: Optional[bytes] = None

    def pack(self, data: Optional[dict[str, Any]]) -> Event:
        """The event as it should wait, with only that of the data which somebody will want."""
        if data is None:
            return replace(self, data=None, size=0)
        # Not JSON: whatever was read is to be handed on, NaN and integers of any size too.
        try:
            packed = marshal.dumps(data)
        except ValueError:  # nested deeper than anything sensible: held as it is
            return replace(self, data=data)
        return replace(self, data=None, packed=packed, size=len(packed))

    def unpack(self) -> Optional[dict[str, Any]]:
        """The data, packed or not."""
        return self.data if self.packed is None else marshal.loads(self.packed)  # noqa: S302 - ours
