"""One connection to one worker: offer, answer, what comes over it, and how it ends.

All of aiortc's peer connection is in here; lives and dies on one event loop. Knows nothing of
HTTP, of threads, nor of what a message means.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Optional, Union

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError

from inference_sdk.utils.logging import get_logger
from inference_sdk.utils.waiting import within
from inference_sdk.webrtc.datachannel import CHUNK_HEADER, ChunkReassembler
from inference_sdk.webrtc.errors import (
    DataBacklogError,
    WebRTCConnectionLostError,
    WebRTCStartError,
)
from inference_sdk.webrtc.frames import Frame
from inference_sdk.webrtc.jitter import release_frames_early
from inference_sdk.webrtc.messages import VideoMetadata
from inference_sdk.webrtc.signalling import SessionDescription
from inference_sdk.webrtc.stats import Transport
from inference_sdk.webrtc.texts import skip_broken_texts

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiortc import RTCDataChannel
    from av import VideoFrame

    from inference_sdk.webrtc.intake import Intake
    from inference_sdk.webrtc.sources.base import StreamSource

logger = get_logger("webrtc.peer")

DATA_CHANNEL = "inference"

CLOSE_SECONDS = 1.5
"""For saying goodbye; the session's own limit is 2 s."""

QUIET_SECONDS = 0.5
"""A video track says nothing of its end; after that much silence no frame is under way."""

DRAIN_SECONDS = 5.0
"""For the frames of a track that are under way when the worker says it is done."""

CONNECT_SECONDS = 60.0
"""From the worker's answer to an open channel. ICE gives up by itself after some 30 s; a worker
that dies during the handshake would be waited for without end."""

LEAVE_SECONDS = 2.0
"""For the last message of a worker whose track has ended."""


class Peer:
    """A connection to a worker.

    Args:
        configuration: STUN and TURN servers.
        source: adds its tracks and channels.
        intake: gets messages and frames.
    """

    def __init__(
        self,
        configuration: Optional[RTCConfiguration],
        source: StreamSource,
        intake: Intake,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._source = source
        self._intake = intake
        self._ended: asyncio.Future[bool] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reassembler = ChunkReassembler()
        self._has_turn = bool(configuration and configuration.iceServers)
        self._last_frame_at = 0.0
        self._has_track = False
        self._opened = False
        self._broken = False
        self._draining = False
        self._pc = RTCPeerConnection(configuration)
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("track", self._on_track)
        self._channel: RTCDataChannel = self._pc.createDataChannel(DATA_CHANNEL)
        self._channel.on("open", self._on_channel_open)
        self._channel.on("message", self._on_message)
        self._channel.on("close", self._on_channel_close)
        skip_broken_texts(self._channel.transport)

    async def configure(self) -> None:
        """Let the source add what it has."""
        await self._source.configure_peer_connection(self._pc)

    async def offer(self) -> SessionDescription:
        """Gather candidates, and say what is offered."""
        await self._pc.setLocalDescription(await self._pc.createOffer())
        local = self._pc.localDescription
        return SessionDescription(local.type, local.sdp)

    async def accept(self, answer: SessionDescription) -> None:
        """Take the worker's answer; the connection builds up from here.

        Raises:
            WebRTCStartError: the answer does not fit the offer.
        """
        self._intake.acknowledge = self._acknowledge
        self._intake.complete = self._completed
        try:
            await self._pc.setRemoteDescription(
                RTCSessionDescription(sdp=answer.sdp, type=answer.type)
            )
        except (
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            AssertionError,
            RuntimeError,
            InvalidAccessError,
            InvalidStateError,
            OperationError,
        ) as error:  # what aiortc's parser and its checks raise for text from elsewhere
            raise WebRTCStartError(
                f"the worker's session description makes no sense ({error or type(error).__name__})"
            ) from error
        self._watch_ice()
        self._spawn(self._require_connection())
        self._spawn(self._begin_source())

    async def until_end(self) -> bool:
        """Wait for the end of the stream.

        Returns:
            Whether it was the worker that ended it, closing the connection in order.

        Raises:
            WebRTCConnectionLostError: the connection broke, or the worker could not be reached.
            SourceError: what is streamed failed.
            DataBacklogError: more messages wait to be taken than may.
        """
        return await self._ended

    def finish(self, error: Optional[BaseException] = None, *, by_the_worker: bool = False) -> None:
        """End the stream. The first end counts."""
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(by_the_worker)
        else:
            self._ended.set_exception(error)

    def drain(self) -> None:
        """Nothing more will be sent or made: end when nothing is under way any more."""
        self._draining = True
        if self._has_track:
            self._spawn(self._finish_when_quiet())
        else:
            self.finish()

    async def close(self) -> None:
        """Say goodbye and let go of everything."""
        self.finish()
        with suppress(BaseException):  # fetched, so that asyncio does not call it forgotten
            self._ended.exception()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        if not await within(CLOSE_SECONDS, self._pc.close()):
            logger.debug("The peer connection did not close in %s s.", CLOSE_SECONDS)

    async def transport_stats(self) -> Transport:
        """What the connection counted."""
        report = await self._pc.getStats()
        if self._pc.sctp is not None and hasattr(self._pc.sctp.transport, "_get_stats"):
            # aiortc reports the transport of tracks only, also where there is none.
            report.update(self._pc.sctp.transport._get_stats())
        return _transport(report)

    # Events of aiortc, on the event loop.

    def _on_channel_open(self) -> None:
        self._opened = True

    def _on_message(self, message: Union[str, bytes]) -> None:
        try:
            self._take_message(message)
        except DataBacklogError as error:
            self.finish(error)

    def _take_message(self, message: Union[str, bytes]) -> None:
        if isinstance(message, str) or len(message) < CHUNK_HEADER.size:
            self._intake.take_message(message)
            return
        self._intake.began.set()  # a large message may take its time to be whole
        payload, frame_id = self._reassembler.add_chunk(message)
        if payload is not None:
            self._intake.take_message(payload, frame_id)

    def _on_track(self, track: Any) -> None:
        if track.kind != "video":
            return
        self._has_track = True
        for receiver in self._pc.getReceivers():
            if receiver.track is track:
                release_frames_early(receiver)
        self._spawn(self._receive(track))

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "failed":
            self.finish(self._connection_error())
        elif state == "closed" and not self._ended.done():
            self._spawn(self._worker_left(QUIET_SECONDS))

    def _watch_ice(self) -> None:
        """Note a connection that breaks: aiortc closes all right after it, as on an orderly end."""
        if self._pc.sctp is None:
            return
        dtls = self._pc.sctp.transport
        ice = dtls.transport

        def note() -> None:
            # What is on top of ICE may hear first that there is no way any more (aioice 0.10,
            # the last for Python 3.10); then no pair of addresses is left.
            lost = dtls.state == "closed" and not ice._connection._nominated
            self._broken = self._broken or lost or ice.state == "failed"

        ice.on("statechange", note)
        dtls.on("statechange", note)

    def _on_channel_close(self) -> None:
        if not self._ended.done():
            self._spawn(self._worker_left(QUIET_SECONDS))

    # Tasks.

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.finish(error)

    async def _require_connection(self) -> None:
        await asyncio.sleep(CONNECT_SECONDS)
        if not self._opened:
            self.finish(self._connection_error())

    async def _begin_source(self) -> None:
        try:
            await self._source.begin()
        except RuntimeError as error:
            if self._intake.began.is_set():  # it has what it wanted of the file
                return
            # A channel that closes while a file is uploaded: the connection is the reason.
            raise WebRTCConnectionLostError(str(error)) from error

    async def _receive(self, track: Any) -> None:
        """Take the frames of a track until it ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                break
            self._last_frame_at = time.monotonic()
            self._intake.take_video(Frame(frame, _track_metadata(frame)))
        await self._worker_left(LEAVE_SECONDS)

    async def _finish_when_quiet(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        self._last_frame_at = max(self._last_frame_at, time.monotonic())
        while (now := time.monotonic()) < deadline and not self._ended.done():
            quiet_at = self._last_frame_at + QUIET_SECONDS
            if now >= quiet_at:
                break
            await asyncio.sleep(min(quiet_at, deadline) - now)
        self.finish()

    async def _worker_left(self, seconds: float) -> None:
        """The worker hung up: the end, once its last message, still to be read, was read."""
        await asyncio.wait([self._ended], timeout=seconds)
        if self._draining or (self._opened and not self._broken):
            self.finish(by_the_worker=not self._draining)
        else:
            self.finish(self._connection_error())

    def _connection_error(self) -> WebRTCConnectionLostError:
        reported = self._intake.recent_errors()
        told = f" The worker reported: {reported}." if reported else ""
        if not self._opened:
            return WebRTCConnectionLostError(
                "No way to the worker was found (ICE failed)."
                + (
                    " None of the TURN servers helped either: check them with "
                    "client.webrtc.diagnose()."
                    if self._has_turn
                    else " A firewall or NAT may be in between: give a TURN server in "
                    "StreamConfig.turn_server, and see client.webrtc.diagnose()."
                )
                + told
            )
        return WebRTCConnectionLostError(
            f"The connection to the worker was lost before the stream was done.{told}"
        )

    # Called from the reader thread.

    def _acknowledge(self, frame_id: int) -> None:
        with suppress(RuntimeError):  # the loop closed meanwhile
            self._loop.call_soon_threadsafe(self._send, json.dumps({"ack": frame_id}))

    def _completed(self) -> None:
        with suppress(RuntimeError):  # the loop closed meanwhile
            self._loop.call_soon_threadsafe(self.drain)

    def _send(self, text: str) -> None:
        if self._channel.readyState == "open":
            self._channel.send(text)


def _track_metadata(frame: VideoFrame) -> VideoMetadata:
    return VideoMetadata(
        frame_id=frame.pts or 0,
        received_at=datetime.now(),  # local time, as in messages
        pts=frame.pts,
        time_base=_fraction(frame.time_base),
    )


def _fraction(value: Any) -> Optional[Fraction]:
    """A rational number of PyAV, which has a type of its own for them from version 19 on."""
    return Fraction(value.numerator, value.denominator) if value else None


def _transport(report: Any) -> Transport:
    """Pick what users ask for out of aiortc's report."""
    transport = Transport()
    for entry in report.values():
        if entry.type == "inbound-rtp":
            transport.packets_lost = (transport.packets_lost or 0) + entry.packetsLost
        elif entry.type == "remote-inbound-rtp":
            transport.packets_lost_remote = entry.packetsLost
            transport.round_trip_time = entry.roundTripTime
        elif entry.type == "transport":
            transport.bytes_sent = entry.bytesSent
            transport.bytes_received = entry.bytesReceived
    return transport
