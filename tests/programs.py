"""Sync and async by one test body, where the body is a whole program of several calls.

A program is an async function of a `Face`. Played async, its calls are the `_async` twins, on an
event loop; played sync, they are the blocking ones, and the program never waits for anything.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class Face:
    """A client whose methods are awaited, whichever form they have."""

    def __init__(self, client: Any, is_async: bool) -> None:
        self.client = client
        self.is_async = is_async

    async def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        if self.is_async:
            return await getattr(self.client, f"{method}_async")(*arguments, **options)
        return getattr(self.client, method)(*arguments, **options)

    async def pause(self, seconds: float) -> None:
        if self.is_async:
            await asyncio.sleep(seconds)
        else:
            threading.Event().wait(seconds)

    async def each(self, method: str, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        """Results of a method that gives them one by one."""
        if self.is_async:
            stream = getattr(self.client, f"{method}_async")(*arguments, **options)
            try:
                async for result in stream:
                    yield result
            finally:
                await stream.aclose()
        else:
            blocking = getattr(self.client, method)(*arguments, **options)
            try:
                for result in blocking:
                    yield result
            finally:
                blocking.close()

    async def list(self, method: str, *arguments: Any, **options: Any) -> list[Any]:
        return [result async for result in self.each(method, *arguments, **options)]


Program = Callable[[Face], Awaitable[T]]


class Player:
    """Plays programs on clients, and closes what they opened."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async
        self.name = "async" if is_async else "sync"

    def __call__(self, client: Any, program: Program[T]) -> T:
        running: Any = program(Face(client, self.is_async))
        if self.is_async:
            return asyncio.run(running)
        try:
            running.send(None)
        except StopIteration as done:
            return done.value
        finally:
            running.close()
            client.close()
        raise AssertionError("A program that is played sync has nothing to wait for.")


both_plays = pytest.mark.parametrize(
    "play", [Player(is_async=False), Player(is_async=True)], ids=lambda player: player.name
)
"""Plays a test's programs with the sync and with the async form of each call."""
