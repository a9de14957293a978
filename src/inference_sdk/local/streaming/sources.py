"""Where the frames of a stream come from: the client's track, an address, or an uploaded file.

Each source is an asynchronous iterator of numbered frames with a `close`. Live ones give the newest
frame, a file in batch mode gives every frame when it is asked for. Reading and decoding run in a
thread. Knows nothing of what is done with the frames, nor of the client's connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any, Optional, Protocol

import av
import av.container
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from inference_sdk.local.streaming.mailbox import LIVE_PATIENCE, Mailbox
from inference_sdk.utils.media import open_video, whole_frames

LIVE_TIMEOUT = 10.0
"""Seconds that opening an address, or the next bytes from it, may take."""

THREAD_END_TIMEOUT = 2.0
"""Seconds that closing waits for a thread; one that waits for the network ends by its time-out."""

TRACK_BACKLOG = 64
"""Frames of a track that wait in batch mode: nothing slows a live sender, so memory has to."""

LIVE_BACKLOG = 8
"""Frames of a track that wait in a live stream: a connection begins, and jitters, in bursts."""

DEFAULT_FPS = 30.0

LIVE_OPTIONS: Mapping[str, str] = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "fpsprobesize": "0",
    "analyzeduration": "1000000",  # microseconds
}

PICTURE_FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,h264,hevc,ivf,mjpeg,"
    "yuv4mpegpipe,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
"""What holds pictures itself, and no addresses of others, as playlists do."""

# An uploaded file is a client's: playlists in it could otherwise make this server read other
# files and addresses.
FILE_OPTIONS: Mapping[str, str] = {
    "protocol_whitelist": "file",
    "format_whitelist": PICTURE_FORMATS,
}


class SourceError(Exception):
    """Frames cannot be had; the message says of what and why."""


@dataclass(frozen=True)
class SourceFrame:
    """A frame with its number, from 1; numbers that are missing were dropped.

    `pts` counts in `time_base` seconds; `declared_fps` is what the source says of itself, frames a
    second.
    """

    picture: av.VideoFrame
    number: int
    pts: int
    time_base: Fraction
    declared_fps: Optional[float] = None
    received_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


class FrameSource(Protocol):
    """What the processing loop needs of a source."""

    def __aiter__(self) -> AsyncIterator[SourceFrame]: ...

    async def close(self) -> None: ...


class TrackSource:
    """Frames of the client's video track: the fresh ones, or all of them in batch mode."""

    def __init__(self, track: MediaStreamTrack, realtime: bool) -> None:
        self._mailbox: Mailbox[SourceFrame] = (
            Mailbox(LIVE_BACKLOG, LIVE_PATIENCE) if realtime else Mailbox(TRACK_BACKLOG)
        )
        self._task = asyncio.ensure_future(self._receive(track))

    def __aiter__(self) -> AsyncIterator[SourceFrame]:
        return self._mailbox

    async def _receive(self, track: MediaStreamTrack) -> None:
        number = 0
        with contextlib.suppress(MediaStreamError):
            while True:
                picture = await track.recv()
                if isinstance(picture, av.VideoFrame):
                    number += 1
                    self._mailbox.put(_source_frame(picture, number))
        self._mailbox.end()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class LiveSource:
    """The newest frame of an address, or of a file that is played at its own speed."""

    def __init__(
        self, location: str, options: Optional[Mapping[str, str]] = None, *, paced: bool = False
    ) -> None:
        self._location = location
        self._options = options
        self._paced = paced
        self._mailbox: Mailbox[SourceFrame] = Mailbox()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="stream-source", daemon=True)
        self._thread.start()

    def __aiter__(self) -> AsyncIterator[SourceFrame]:
        return self._mailbox

    def _read(self) -> None:
        error: Optional[Exception] = None
        frames = decode(self._location, self._options)
        try:
            for frame in _in_time(frames, self._stop) if self._paced else frames:
                if self._stop.is_set():
                    break
                self._mailbox.put_from_thread(frame)
        except Exception as failure:  # noqa: BLE001 - whoever takes the frames gets it
            error = failure
        finally:
            frames.close()
        self._mailbox.end_from_thread(error)

    async def close(self) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, THREAD_END_TIMEOUT)


class FileSource:
    """Every frame of a file, in order; decoding is one frame ahead of who asks."""

    def __init__(self, path: str) -> None:
        self._frames = decode(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream-file")
        self._following = self._decode_next()

    def __aiter__(self) -> AsyncIterator[SourceFrame]:
        return self

    async def __anext__(self) -> SourceFrame:
        frame = await self._following
        if frame is None:
            raise StopAsyncIteration
        self._following = self._decode_next()
        return frame

    def _decode_next(self) -> asyncio.Future[Optional[SourceFrame]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, next, self._frames, None)

    async def close(self) -> None:
        await asyncio.gather(self._following, return_exceptions=True)
        self._thread.submit(self._frames.close)
        await asyncio.to_thread(self._thread.shutdown)


def decode(
    location: str, options: Optional[Mapping[str, str]] = None
) -> Generator[SourceFrame, None, None]:
    """Frames of the first video stream, each with pts and time_base; blocks.

    Raises:
        SourceError: it cannot be opened, has no video, or breaks off.
    """
    live = options is not None
    timeout = LIVE_TIMEOUT if live else None
    try:
        with open_video(
            location, options=dict(options or FILE_OPTIONS), timeout=timeout
        ) as container:
            yield from _decode_container(container, live)
        return
    except (av.FFmpegError, OSError) as error:
        reason = _reason(error)
    # Outside of `except`: PyAV's error quotes the address, and may not hang on this one.
    what = without_credentials(location) if live else "the uploaded file"
    raise SourceError(f"Cannot read video from {what}: {reason}")


def live_options(url: str, host: Optional[str] = None) -> Mapping[str, str]:
    """How to read an address with the least delay, and nothing else than that address.

    RTSP goes over TCP, which loses no packets. Playlists and redirects lead elsewhere: they are
    not followed.

    Args:
        host: how it is called, where `url` has its address.
    """
    if url.lower().startswith("rtsp"):
        return {
            **LIVE_OPTIONS,
            "rtsp_transport": "tcp",
            "format_whitelist": f"rtsp,rtp,sdp,{PICTURE_FORMATS}",
            "protocol_whitelist": "rtp,rtsp,rtsps,tcp,tls",
        }
    return {
        **LIVE_OPTIONS,
        "format_whitelist": f"mpjpeg,{PICTURE_FORMATS}",
        "protocol_whitelist": "http,https,httpproxy,tcp,tls",
        "max_redirects": "0",
        **({"headers": f"Host: {host}\r\n"} if host else {}),
    }


def without_credentials(url: str) -> str:
    """`url` with the user and password that cameras want replaced by `***`."""
    return re.sub(r"(?<=://)[^/@]*@", "***@", url)


def _reason(error: av.FFmpegError | OSError) -> str:
    if isinstance(error, av.ExitError):  # how FFmpeg says that a time-out interrupted it
        return f"nothing came for {LIVE_TIMEOUT:g} s"
    return error.strerror or type(error).__name__


def _decode_container(container: av.container.InputContainer, live: bool) -> Iterator[SourceFrame]:
    if not container.streams.video:
        raise SourceError("There is no video in it, only other streams.")
    stream = container.streams.video[0]
    # Threads over frames are fastest, and hold several frames back: not for live pictures.
    stream.thread_type = "SLICE" if live else "AUTO"
    rate = float(_fraction(stream.average_rate)) if stream.average_rate else None
    for number, picture in enumerate(map(_upright, whole_frames(container)), 1):
        yield _source_frame(picture, number, rate)


def _source_frame(picture: av.VideoFrame, number: int, fps: Optional[float] = None) -> SourceFrame:
    """A frame whose time is told by its number where it has none of its own."""
    if picture.pts is None or picture.time_base is None:
        interval = 1 / Fraction(fps or DEFAULT_FPS).limit_denominator(1001)
        return SourceFrame(picture, number, number - 1, interval, fps)
    return SourceFrame(picture, number, int(picture.pts), _fraction(picture.time_base), fps)


def _fraction(value: Any) -> Fraction:
    """A rational number of PyAV, which has a type of its own for them from version 19 on."""
    return Fraction(value.numerator, value.denominator)


def _upright(picture: av.VideoFrame) -> av.VideoFrame:
    """As a player shows it: phones store video as the sensor sees it, and note the turn."""
    if picture.rotation % 360 == 0:
        return picture
    stored = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    pixels = np.ascontiguousarray(np.rot90(stored, picture.rotation // 90))
    upright = av.VideoFrame.from_ndarray(pixels, format="bgr24")
    upright.pts, upright.time_base = picture.pts, picture.time_base
    return upright


def _in_time(frames: Iterator[SourceFrame], stop: threading.Event) -> Iterator[SourceFrame]:
    """Each frame when it is due by its pts, counted from the first; ends when `stop` is set."""
    began: Optional[float] = None
    for frame in frames:
        due = float(frame.pts * frame.time_base)
        began = time.monotonic() - due if began is None else began
        if stop.wait(max(began + due - time.monotonic(), 0)):
            return
        yield frame
