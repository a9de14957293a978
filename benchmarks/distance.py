"""A server far away: TLS, and 40 ms to it and back, before the constant server.

    python distance.py PORT CERTIFICATE      prints its port; ends when its input does

Bytes, those of handshakes too, arrive 20 ms after they were sent, in either direction, as fast as
loopback is. The connection itself is opened at once: for all clients alike.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress

ROUND_TRIP = 0.04
CHUNK = 2**18


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """What is read is written, so many seconds later."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            writer.write(data)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            waiting.put_nowait((loop.time() + delay, data))
    waiting.put_nowait((loop.time() + delay, b""))
    with suppress(OSError):
        await delivering
    writer.close()


async def listen(to: int, delay: float, context: ssl.SSLContext | None = None) -> int:
    """Listen, and pass all on to a port; the port that is listened on."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(copy(reader, here, delay), copy(there, writer, delay))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    _servers.append(server)
    return int(server.sockets[0].getsockname()[1])


_servers: list[asyncio.Server] = []


async def main(port: int, certificate: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    secure = await listen(port, 0, context)
    print(await listen(secure, ROUND_TRIP / 2), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
