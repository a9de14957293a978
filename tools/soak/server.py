"""The embedded server with a model that says which colour it sees, and answers that go wrong.

Prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from inference_sdk.local import ModelStore, create_app

MODEL = "soak/1"
FAULTY = 0.05
LATE = 2.0
"""Seconds; the client waits for one."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Colour:
    description = {"model_id": MODEL, "task_type": "classification", "batch_size": 8}

    def infer(self, image: Any, parameters: Any) -> dict[str, Any]:
        blue, green, _ = (int(value) for value in image[0, 0])
        return {"top": str(blue * 256 + green), "predictions": []}


async def refuse(request: web.Request, answer: Handler) -> web.StreamResponse:
    return web.json_response({"message": "Too much."}, status=503)


async def hang_up(request: web.Request, answer: Handler) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stop_half_way(request: web.Request, answer: Handler) -> web.StreamResponse:
    cut = web.StreamResponse(headers={"Content-Length": "1000"})
    await cut.prepare(request)
    await cut.write(b'{"top": "1')
    return await hang_up(request, answer)


async def talk_nonsense(request: web.Request, answer: Handler) -> web.StreamResponse:
    return web.Response(text="<html>not what was asked for", content_type="text/html")


async def be_late(request: web.Request, answer: Handler) -> web.StreamResponse:
    await asyncio.sleep(LATE)
    return await answer(request)


FAULTS = (refuse, hang_up, stop_half_way, talk_nonsense, be_late)


@web.middleware
async def spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
    if random.random() >= FAULTY:
        return await handler(request)
    await request.read()
    return await random.choice(FAULTS)(request, handler)


async def serve() -> None:
    models = ModelStore()
    models.register(MODEL, lambda _: Colour())
    app = create_app(models=models)
    app.middlewares.append(spoil)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
