"""One stream: where its frames come from, the loop that processes them, and how it ends.

A session has one owner, its task `_own`: whatever ends the stream (the client, a fault, a time-out,
a server that stops) is noticed there, and that task alone cleans up. All that blocks runs in the
session's worker thread, so that the event loop stays free for the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from inference_sdk.local.faults import RequestFault
from inference_sdk.local.streaming.frames import FrameProcessor, ProcessedFrame, RunWorkflow
from inference_sdk.local.streaming.messages import (
    PROCESSING_COMPLETE,
    Message,
    encode_message,
    output_message,
    parse_acknowledgement,
)
from inference_sdk.local.streaming.pacing import DEFAULT_WINDOW, AcknowledgementWindow
from inference_sdk.local.streaming.peer import Peer
from inference_sdk.local.streaming.request import StreamRequest
from inference_sdk.local.streaming.sources import (
    FileSource,
    FrameSource,
    LiveSource,
    SourceError,
    TrackSource,
    live_options,
)
from inference_sdk.local.streaming.upload import UploadError
from inference_sdk.local.streaming.upload_file import UploadFile
from inference_sdk.utils.waiting import within

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 15.0
"""Seconds from the answer to a connection; a client behind a slow TURN server takes some."""

COMPLETE_LINGER = 30.0
"""Seconds that a client has to take its last frames and close, after all was processed."""

FAILURE_LINGER = 1.0
"""Seconds for the message that says why, before the connection is closed."""


class StreamError(Exception):
    """The stream cannot go on; the message is for the client."""


class StreamSession:
    """A stream from its offer to its end; made in the event loop.

    Args:
        request: what the client asks for.
        run: the workflow.
        window: frames that a stream in batch mode may be ahead of the acknowledgements.
        client: address that the request came from.
    """

    def __init__(
        self,
        request: StreamRequest,
        run: RunWorkflow,
        window: int = DEFAULT_WINDOW,
        client: str = "",
    ) -> None:
        self.client = client
        self._request = request
        self._run = run
        self._acknowledgements = AcknowledgementWindow(window)
        self._upload = UploadFile() if request.file_upload else None
        self._source: Optional[FrameSource] = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="stream-workflow")
        self._task: Optional[asyncio.Task[None]] = None
        self._peer = Peer(
            request.ice_servers,
            keep_all=not request.realtime,
            on_message=self._on_message,
            on_upload=self._on_upload,
        )

    @property
    def connected(self) -> bool:
        """Whether the client is, or was, connected."""
        return self._peer.connected.is_set()

    async def answer(self, ended: Callable[[StreamSession], None]) -> str:
        """Give the SDP that answers the client's offer, and start; nothing is left on a failure.

        Args:
            ended: called with the session once it has ended and all of it is cleaned up.

        Raises:
            RequestFault: the offer cannot be read, or has no video where it must.
        """
        try:
            sdp = await self._peer.answer(self._request.offer_sdp)
            self._check_source()
        except RequestFault:
            await self._clean_up()
            raise
        if self._peer.track_out is not None:
            # A receiver only has a frame of a track when the next one has begun.
            self._acknowledgements.widen(2)
        self._task = asyncio.create_task(self._own(ended))
        return sdp

    async def close(self) -> None:
        """End the stream and wait until nothing of it is left."""
        self._peer.closed.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    def _check_source(self) -> None:
        request = self._request
        if not (self._peer.track_in or request.live_url or request.file_upload):
            raise RequestFault(
                "There is nowhere to take frames from: the offer sends no video, and the request "
                "has neither rtsp_url, mjpeg_url nor video_file_upload."
            )

    def _on_message(self, message: Message) -> None:
        number = parse_acknowledgement(message)
        if number is not None:
            self._acknowledgements.acknowledge(number)

    def _on_upload(self, message: Message) -> None:
        if self._upload is not None:
            self._upload.accept(message)

    async def _own(self, ended: Callable[[StreamSession], None]) -> None:
        """Run the stream until it ends by itself or is stopped, then clean up."""
        stream = asyncio.create_task(self._stream())
        closed = asyncio.create_task(self._peer.closed.wait())
        try:
            await asyncio.wait(
                {stream, closed},
                timeout=self._request.processing_timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not closed.done():
                await self._say_goodbye(stream, closed)
        finally:
            stream.cancel()
            closed.cancel()
            await asyncio.gather(stream, closed, return_exceptions=True)
            await self._clean_up()
            ended(self)

    async def _stream(self) -> None:
        await self._wait_for_connection()
        self._source = await self._open_source()
        track = self._peer.track_out
        processor = FrameProcessor(
            self._run,
            picture_output=self._request.picture_output,
            data_outputs=self._request.data_outputs,
            with_picture=track is not None,
            declared_fps=self._request.declared_fps,
            from_file=self._request.file_upload,
        )
        loop = asyncio.get_running_loop()
        async for frame in self._source:
            processed = await loop.run_in_executor(self._worker, processor.process, frame)
            await self._send(processed)
        if track is not None:
            await track.drain()
        await self._peer.outbox.send([PROCESSING_COMPLETE])

    async def _wait_for_connection(self) -> None:
        if not await within(CONNECT_TIMEOUT, self._peer.connected.wait()):
            raise StreamError(f"No connection within {CONNECT_TIMEOUT:g} s.")

    async def _open_source(self) -> FrameSource:
        request = self._request
        if self._upload is not None:
            path = await self._upload.path()
            return LiveSource(path, paced=True) if request.realtime else FileSource(path)
        if request.live_url is not None:
            return LiveSource(request.live_url, live_options(request.live_url, request.live_host))
        assert self._peer.track_in is not None  # noqa: S101 - `_check_source` saw to it
        return TrackSource(self._peer.track_in, request.realtime)

    async def _send(self, processed: ProcessedFrame) -> None:
        if not self._request.realtime:
            # The frame waits here, not before it is processed: it is ready when its turn comes.
            await self._acknowledgements.room()
            if processed.is_taken:
                self._acknowledgements.sent(processed.number)
        if self._peer.track_out is not None and processed.frame is not None:
            await self._peer.track_out.put(processed.frame)
        await self._peer.outbox.send(processed.messages)

    async def _say_goodbye(self, stream: asyncio.Task[None], closed: asyncio.Task[Any]) -> None:
        """Tell the client what went wrong, if anything did, and leave it time to read and close."""
        problem = self._problem(stream)
        if problem is not None:
            message = encode_message(output_message(None, None, [problem]), 0)
            await within(FAILURE_LINGER, self._peer.outbox.send(message))
        linger = COMPLETE_LINGER if problem is None else FAILURE_LINGER
        await asyncio.wait({closed}, timeout=linger)

    def _problem(self, stream: asyncio.Task[None]) -> Optional[str]:
        if not stream.done():
            return f"The stream reached its processing_timeout of {self._request.processing_timeout:g} s."
        error = stream.exception()
        if error is None:
            return None
        if isinstance(error, (SourceError, UploadError, StreamError)):
            return str(error)
        logger.error("A stream failed.", exc_info=error)
        return "Internal error."

    async def _clean_up(self) -> None:
        async with contextlib.AsyncExitStack() as left:  # the last one in is the first to go
            left.push_async_callback(asyncio.to_thread, self._worker.shutdown)
            if self._upload is not None:
                left.push_async_callback(self._upload.close)
            if self._source is not None:
                left.push_async_callback(self._source.close)
            left.push_async_callback(self._peer.close)
