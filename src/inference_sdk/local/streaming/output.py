"""The two ways out to the client: the video track, and the data channel `inference`.

Both hold very little: a frame that cannot be sent soon is replaced by the next one when the stream
is live, and makes the processing wait when every frame counts. Knows nothing of workflows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Optional

import av
from aiortc import RTCDataChannel
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from inference_sdk.local.streaming.mailbox import LIVE_PATIENCE
from inference_sdk.local.streaming.messages import Message
from inference_sdk.utils.waiting import within

HIGH_WATER = 1024 * 1024
"""Bytes that may wait in the data channel before processing has to."""

LOW_WATER = HIGH_WATER // 4

HELD_FRAMES = 8
"""Frames whose messages are kept until the client's data channel is there."""


class OutputTrack(MediaStreamTrack):
    """The video track to the client; has room for one frame.

    Args:
        keep_all: `put` waits for the frame before to be taken, however long that takes, instead
            of replacing it.
    """

    kind = "video"

    def __init__(self, keep_all: bool) -> None:
        super().__init__()
        self._keep_all = keep_all
        self._frame: Optional[av.VideoFrame] = None
        self._begun = False
        self._wanted = False
        self._changed = asyncio.Event()

    async def put(self, frame: av.VideoFrame) -> None:
        """Hand over the next frame."""
        # The first one is never replaced: its receiver counts all times from it.
        patience = None if self._keep_all or not self._begun else LIVE_PATIENCE
        await within(patience, self._until(lambda: self._frame is None))
        self._frame = frame
        self._changed.set()

    async def recv(self) -> av.VideoFrame:
        """The next frame; called by the sender, which sends one before it asks for another."""
        self._wanted = True
        self._changed.set()
        await self._until(lambda: self._frame is not None)
        frame, self._frame = self._frame, None
        self._begun, self._wanted = True, False
        if frame is None or self.readyState == "ended":
            raise MediaStreamError
        self._changed.set()
        return frame

    async def drain(self) -> None:
        """Wait until the last frame has been encoded and sent."""
        await self._until(lambda: self._wanted and self._frame is None)

    def stop(self) -> None:
        """End the track, and wake whoever waits for it."""
        super().stop()
        self._changed.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for the condition or for the end; every change wakes all who wait."""
        while not condition() and self.readyState != "ended":
            self._changed.clear()
            await self._changed.wait()


class Outbox:
    """Messages to the client, in order, never more of them than the channel can take.

    The channel is the client's, and may open after the first frames: their messages wait for it.
    """

    def __init__(self) -> None:
        self._channel: Optional[RTCDataChannel] = None
        self._held: deque[Sequence[Message]] = deque(maxlen=HELD_FRAMES)
        self._room = asyncio.Event()

    def attach(self, channel: RTCDataChannel) -> None:
        """Use this channel from now on."""
        self._channel = channel
        channel.bufferedAmountLowThreshold = LOW_WATER
        channel.on("bufferedamountlow", self._room.set)
        channel.on("close", self._room.set)
        for messages in self._held:
            self._send_now(messages)
        self._held.clear()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send when there is room; what a closed channel cannot take is dropped."""
        if self._channel is None:
            self._held.append(messages)
            return
        for message in messages:
            await self._wait_for_room()
            self._send_now((message,))

    def _send_now(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._channel is not None and self._channel.readyState == "open":
                self._channel.send(message)

    async def _wait_for_room(self) -> None:
        channel = self._channel
        while channel and channel.readyState == "open" and channel.bufferedAmount > HIGH_WATER:
            self._room.clear()
            await self._room.wait()
