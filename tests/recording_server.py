"""A real HTTP server on loopback, in a thread: records each request, answers as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Recorded:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Recorded, web.Request], Awaitable[web.StreamResponse]]


@dataclass
class RecordingServer:
    """Answers each path with what was set for it, else with `default`.

    An answer is a JSON value, a `web.Response`-making callable, an async handler (for servers
    that misbehave), or a list of these, used up one a request, the last one for ever.
    """

    default: Any = field(default_factory=dict)
    requests: list[Recorded] = field(default_factory=list)
    url: str = ""
    port: int = 0
    """Where it listens; 0 takes a free one."""

    def __post_init__(self) -> None:
        self._answers: dict[str, list[Any]] = {}
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="recording-server", daemon=True)
        self.in_flight = 0
        self.most_in_flight = 0

    def answer(self, path: str, *answers: Any) -> None:
        self._answers[path] = list(answers)

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    @property
    def connections(self) -> int:
        """How many connections were opened by those who sent requests."""
        return len({request.peer for request in self.requests})

    def __enter__(self) -> RecordingServer:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        query: dict[str, list[str]] = {}
        for name, value in request.query.items():
            query.setdefault(name, []).append(value)
        recorded = Recorded(
            method=request.method,
            path=request.path,
            query=query,
            headers=dict(request.headers),
            body=await request.read(),
            peer=request.transport.get_extra_info("peername"),  # type: ignore[union-attr]
        )
        self.requests.append(recorded)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._respond(self._next_answer(request.path), recorded, request)
        finally:
            self.in_flight -= 1

    def _next_answer(self, path: str) -> Any:
        answers = self._answers.get(path)
        if not answers:
            return self.default
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def _respond(
        self, answer: Any, recorded: Recorded, request: web.Request
    ) -> web.StreamResponse:
        if asyncio.iscoroutinefunction(answer):
            return await answer(recorded, request)
        if callable(answer):
            return answer(recorded)
        return web.json_response(answer)
