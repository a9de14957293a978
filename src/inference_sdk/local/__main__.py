"""What `LocalServer(process=True)` starts: settings on standard input, the port on standard output.

Ends when standard input does. For people there is `inference-sdk serve`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading

import orjson
from aiohttp import web

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.server import listen, run_until
from inference_sdk.local.settings import ServerSettings
from inference_sdk.local.streaming.signalling import load_ahead


def main() -> None:
    # Ctrl+C reaches the whole group of processes; when to end is for the program to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = orjson.loads(sys.stdin.buffer.readline())
    host, port = settings.pop("host"), settings.pop("port")
    try:
        app = ServerSettings.from_json(settings).app()
        listener = listen(host, port)
    except OSError as error:
        _report({"errno": error.errno, "error": error.strerror})
        return
    except UnusableModelError as error:
        _report({"unusable": str(error)})
        return
    with listener:
        asyncio.run(_serve_until_input_ends(app, listener))


async def _serve_until_input_ends(app: web.Application, listener: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()

    def ready() -> None:
        _report({"port": listener.getsockname()[1]})
        load_ahead()

    await run_until(app, listener, stop, ready)


def _report(message: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.flush()
    # Nobody reads on; what models of the user print shall not block them, nor break a pipe.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
