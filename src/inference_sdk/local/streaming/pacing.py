"""How far a stream in batch mode may run ahead of the client that takes its frames.

The client acknowledges cumulatively. Before the first acknowledgement nothing is held back, for an
old client may send none. Knows nothing of messages and channels.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Optional

DEFAULT_WINDOW = 1


class AcknowledgementWindow:
    """At most `size` frames beyond the last one acknowledged.

    Example:
        >>> window = AcknowledgementWindow(1)
        >>> window.sent(1); window.acknowledge(1)
        >>> await window.room()  # returns at once, and again only after acknowledge(2)
        >>> window.sent(2)
    """

    def __init__(self, size: int = DEFAULT_WINDOW) -> None:
        self._size = size
        self._outstanding: deque[int] = deque()
        self._last: Optional[int] = None
        self._changed = asyncio.Event()

    def widen(self, size: int) -> None:
        """Allow at least `size` frames."""
        self._size = max(self._size, size)

    def sent(self, number: int) -> None:
        """A frame went out that the client will acknowledge; numbers grow."""
        self._outstanding.append(number)

    def acknowledge(self, number: int) -> None:
        """The client has taken every frame up to `number`."""
        self._last = max(number, self._last or 0)
        while self._outstanding and self._outstanding[0] <= self._last:
            self._outstanding.popleft()
        self._changed.set()

    async def room(self) -> None:
        """Wait until one more frame may go out."""
        while self._last is not None and len(self._outstanding) >= self._size:
            self._changed.clear()
            await self._changed.wait()
