"""One aiohttp session for each event loop, closed when its loop shuts down, whoever forgets it.

An aiohttp session belongs to the loop it was opened on. Callers do `asyncio.run(...)` over and
over, each with a loop of its own, and have no place to close the session in. So the session is
held by an async generator: a loop finalises those it has seen (`loop.shutdown_asyncgens()`,
which `asyncio.run` calls), and that closes the session in time and on its own loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

    Lease = AsyncGenerator[None, None]
    _Held = dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, Lease]]


class LoopSessions:
    """Sessions by event loop, opened by `new_session` on first use within the loop."""

    def __init__(self, new_session: Callable[[], aiohttp.ClientSession]) -> None:
        self._new_session = new_session
        self._process = os.getpid()
        self._held: _Held = {}
        self._inherited: _Held = {}
        """What a forked child shares with its parent. It must neither use nor close the sockets,
        so it holds on to the sessions: one that is collected closes them."""

    async def current(self) -> aiohttp.ClientSession:
        """The running loop's session."""
        if self._process != os.getpid():
            self._process, self._inherited, self._held = os.getpid(), self._held, {}
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is not None and not held[0].closed:
            return held[0]
        self._drop_closed_loops()
        session = self._new_session()
        lease = _lease(session)
        await lease.__anext__()
        self._held[loop] = session, lease
        return session

    async def close_current(self) -> None:
        """Close the running loop's session, if it has one."""
        held = self._held.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held[1].aclose()

    def __del__(self) -> None:
        if self._process == os.getpid():
            self._drop_closed_loops()

    def _drop_closed_loops(self) -> None:
        # Other threads' loops come and go meanwhile: list() copies at one go.
        for loop in [loop for loop in list(self._held) if loop.is_closed()]:
            session, _ = self._held.pop(loop, (None, None))
            if session is not None:
                # The loop was closed without a shutdown. Nothing can be awaited on it any more,
                # and aiohttp does not try to: this only says that the session is done with.
                closing = session.close()
                with suppress(StopIteration, RuntimeError):
                    closing.send(None)
                closing.close()


async def _lease(session: aiohttp.ClientSession) -> Lease:
    try:
        yield
    finally:
        await session.close()
