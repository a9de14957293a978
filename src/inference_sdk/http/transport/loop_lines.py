"""The connections of each event loop, closed when it shuts down, whoever forgets them.

A connection belongs to the loop it was opened on. Callers do `asyncio.run(...)` over and over,
each with a loop of its own, and have no place to close connections in. So they are held by an
async generator: a loop finalises those it has seen (`loop.shutdown_asyncgens()`, which
`asyncio.run` calls), and that closes the connections in time and on their own loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import TypeAlias

from inference_sdk.http.transport.conversation import Lines
from inference_sdk.http.transport.loop_link import LoopNetwork

Lease: TypeAlias = "AsyncGenerator[None, None]"
_Held: TypeAlias = "dict[asyncio.AbstractEventLoop, tuple[Lines, Lease]]"


class LoopLines:
    """Connections by event loop."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._held: _Held = {}
        self._inherited: _Held = {}
        """What a forked child shares with its parent. It must neither use nor close the sockets:
        the parent's loop watches them by a descriptor that both share."""

    async def current(self) -> Lines:
        """The running loop's connections."""
        if self._process != os.getpid():
            self._process, self._inherited, self._held = os.getpid(), self._held, {}
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is not None:
            return held[0]
        self._drop_closed_loops()
        lines = Lines(LoopNetwork())
        lease = _lease(lines)
        self._held[loop] = lines, lease
        await lease.__anext__()
        return lines

    async def close_current(self) -> None:
        """Close the running loop's idle connections, if it has any."""
        held = self._held.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held[1].aclose()

    def __del__(self) -> None:
        if self._process == os.getpid():
            self._drop_closed_loops()

    def _drop_closed_loops(self) -> None:
        # Other threads' loops come and go meanwhile: list() copies at one go.
        for loop in [loop for loop in list(self._held) if loop.is_closed()]:
            lines, _ = self._held.pop(loop, (None, None))
            if lines is not None:
                lines.kept.close()


async def _lease(lines: Lines) -> Lease:
    try:
        yield
    finally:
        lines.kept.close()
        # The loop is told in its next round that a connection is closed; this may be its last.
        await asyncio.sleep(0)
