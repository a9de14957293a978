"""Cameras on loopback: one that speaks MJPEG over HTTP, one that speaks RTSP."""

from __future__ import annotations

import asyncio
import contextlib
import io
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import av
import numpy as np
from aiohttp import web
from PIL import Image

from tests.integration.bare_peer import serving

MPEG_TS_OVER_RTP = 33
TS_PACKETS = 7 * 188


@asynccontextmanager
async def mjpeg_camera(
    picture: Callable[[int], np.ndarray], count: int, interval: float = 0.03
) -> AsyncIterator[str]:
    """Sends `count` pictures (BGR) and ends; yields its address."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"}
        )
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the reader may leave at any time
            for number in range(count):
                await response.write(_part(picture(number)))
                await asyncio.sleep(interval)
        return response

    app = web.Application()
    app.router.add_get("/video", stream)
    async with serving(app) as url:
        yield f"{url}/video"


@asynccontextmanager
async def rtsp_camera(
    picture: Callable[[int], np.ndarray], count: int, interval: float = 0.03
) -> AsyncIterator[str]:
    """Sends `count` pictures (BGR) as MPEG-TS in RTP over the RTSP connection, then ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _answer(reader, writer, url) != "PLAY":
                pass
            sequence = 0
            for number, data in enumerate(_transport_stream(picture, count)):
                for start in range(0, len(data), TS_PACKETS):
                    payload = data[start : start + TS_PACKETS]
                    head = struct.pack(
                        ">BBHII", 0x80, MPEG_TS_OVER_RTP, sequence & 0xFFFF, number * 3000, 7
                    )
                    packet = head + payload
                    writer.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                    sequence += 1
                await writer.drain()
                await asyncio.sleep(interval)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/camera"
    try:
        yield url
    finally:
        server.close()
        await server.wait_closed()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> str:
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    method = request.split(" ", 1)[0]
    number = next(
        line.split(":", 1)[1].strip() for line in request.splitlines() if line.startswith("CSeq")
    )
    lines, body = [f"CSeq: {number}"], ""
    if method == "DESCRIBE":
        body = (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"m=video 0 RTP/AVP {MPEG_TS_OVER_RTP}\r\na=control:track0\r\n"
        )
        lines += [
            f"Content-Base: {url}/",
            "Content-Type: application/sdp",
            f"Content-Length: {len(body)}",
        ]
    elif method == "SETUP":
        lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
    elif method == "OPTIONS":
        lines += ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
    else:
        lines += ["Session: 1"]
    writer.write(("RTSP/1.0 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n" + body).encode())
    await writer.drain()
    return method


def _transport_stream(picture: Callable[[int], np.ndarray], count: int) -> list[bytes]:
    """MPEG-TS, cut where each frame ends."""
    buffer = io.BytesIO()
    parts: list[bytes] = []
    options = {"tune": "zerolatency", "g": "5", "crf": "18"}
    with av.open(buffer, "w", format="mpegts") as container:
        height, width = picture(0).shape[:2]
        stream = container.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            container.mux(stream.encode(frame))
            parts.append(buffer.getvalue()[sum(map(len, parts)) :])
        container.mux(stream.encode(None))
    parts.append(buffer.getvalue()[sum(map(len, parts)) :])
    return parts


def _part(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(buffer, "JPEG", quality=95)
    jpeg = buffer.getvalue()
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
