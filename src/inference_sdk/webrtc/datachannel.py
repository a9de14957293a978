"""The two chunk formats of the data channels: messages coming in, a video file going out.

Reassembly is pure and trusts nobody: what never completes is given up in favour of newer
messages. The uploader reads the file on a thread and lets the channel say when it has room.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Optional

from inference_sdk.config import WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT, WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE
from inference_sdk.utils.logging import get_logger
from inference_sdk.utils.waiting import within
from inference_sdk.webrtc.messages import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiortc import RTCDataChannel

logger = get_logger("webrtc.datachannel")

UploadProgressCallback = Callable[[int, int], None]
"""Called with (chunks uploaded, chunks in all)."""

CHUNK_HEADER = struct.Struct("<III")
"""Of a message chunk: frame_id, chunk_index, total_chunks."""

UPLOAD_HEADER = struct.Struct("<II")
"""Of an upload chunk: chunk_index, total_chunks."""

MAX_PENDING_MESSAGES = 64
"""Messages that may be incomplete at once; a worker interleaves a few."""

MAX_CHUNKS = 65536
"""Chunks of one message: at 1 KiB each that is the largest message there may be."""

_CHUNK_OVERHEAD = 256
"""Bytes that keeping a chunk costs besides its payload, so that empty ones count too."""

_READ_BYTES = 1024 * 1024
"""Read at a time: a trip to another thread per chunk of 48 KiB would be felt."""

_CHANNEL_EVENTS = ("open", "close", "bufferedamountlow")

_RECHECK_SECONDS = 0.5
"""The channel says when there is room; this is for one that forgets to."""


class _PartialMessage:
    """Chunks of one message so far."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.chunks: dict[int, bytes] = {}
        self.size = 0

    def add(self, index: int, payload: bytes) -> int:
        """Keep a chunk, the first of each index. Returns the bytes that it costs."""
        if index in self.chunks:
            return 0
        self.chunks[index] = payload
        cost = len(payload) + _CHUNK_OVERHEAD
        self.size += cost
        return cost

    def complete(self) -> bool:
        return len(self.chunks) == self.total

    def joined(self) -> bytes:
        return b"".join(self.chunks[index] for index in range(self.total))


class ChunkReassembler:
    """Puts messages together from chunks, which may interleave and come in any order.

    Chunks that contradict themselves or each other are logged and skipped. Messages that never
    complete are given up, the oldest first, when there are too many or they grow too large.
    """

    def __init__(self) -> None:
        self._pending: OrderedDict[int, _PartialMessage] = OrderedDict()
        self._size = 0

    def add_chunk(self, message: bytes) -> tuple[Optional[bytes], Optional[int]]:
        """Take in a chunk. Returns (payload, frame_id) when it completes one, else two None."""
        if len(message) < CHUNK_HEADER.size:
            logger.warning("Skipped a chunk of %d bytes, shorter than its header.", len(message))
            return None, None
        frame_id, index, total = CHUNK_HEADER.unpack_from(message)
        if not 0 < total <= MAX_CHUNKS or index >= total:
            logger.warning("Skipped chunk %d of %d of frame %d.", index, total, frame_id)
            return None, None
        payload = message[CHUNK_HEADER.size :]
        if total == 1:
            self._forget(frame_id)
            return payload, frame_id
        return self._collect(frame_id, index, total, payload)

    def _collect(
        self, frame_id: int, index: int, total: int, payload: bytes
    ) -> tuple[Optional[bytes], Optional[int]]:
        partial = self._pending.get(frame_id)
        if partial is not None and partial.total != total:
            logger.warning(
                "Gave up frame %d: its total changed from %d to %d chunks.",
                frame_id,
                partial.total,
                total,
            )
            self._forget(frame_id)
            return None, None
        if partial is None:
            partial = self._pending[frame_id] = _PartialMessage(total)
        self._size += partial.add(index, payload)
        if partial.complete():
            self._forget(frame_id)
            return partial.joined(), frame_id
        self._make_room()
        return None, None

    def _make_room(self) -> None:
        while len(self._pending) > MAX_PENDING_MESSAGES or self._size > MAX_MESSAGE_BYTES:
            frame_id = next(iter(self._pending))
            logger.warning("Gave up frame %d, which never completed.", frame_id)
            self._forget(frame_id)

    def _forget(self, frame_id: int) -> None:
        partial = self._pending.pop(frame_id, None)
        if partial is not None:
            self._size -= partial.size


def create_video_upload_chunk(chunk_index: int, total_chunks: int, data: bytes) -> bytes:
    r"""A message of the channel `video_upload`.

    Two unsigned 32-bit numbers, little endian, and the payload right after them: chunk_index (from
    0), total_chunks, data. So 8 bytes more than `data`; `struct.unpack_from("<II", chunk)` reads it.

    Example:
        >>> create_video_upload_chunk(1, 2, b"ab")
        b'\x01\x00\x00\x00\x02\x00\x00\x00ab'
    """
    return UPLOAD_HEADER.pack(chunk_index, total_chunks) + data


class VideoFileUploader:
    """Sends a file over a data channel, in chunks, never filling the channel's buffer.

    Args:
        path: of the file.
        channel: an aiortc data channel; `upload` waits until it opens.
        chunk_size: payload bytes of a message.
        buffer_limit: bytes that may wait in the channel.
    """

    def __init__(
        self,
        path: str,
        channel: RTCDataChannel,
        chunk_size: int = WEBRTC_VIDEO_UPLOAD_CHUNK_SIZE,
        buffer_limit: int = WEBRTC_VIDEO_UPLOAD_BUFFER_LIMIT,
    ) -> None:
        self._path = path
        self._channel = channel
        self._chunk_size = chunk_size
        self._buffer_limit = buffer_limit
        self._file_size = os.path.getsize(path)
        self._total_chunks = -(-self._file_size // chunk_size)
        self._uploaded_chunks = 0

    @property
    def total_chunks(self) -> int:
        return self._total_chunks

    @property
    def uploaded_chunks(self) -> int:
        return self._uploaded_chunks

    @property
    def file_size(self) -> int:
        """Bytes."""
        return self._file_size

    async def upload(self, on_progress: Optional[UploadProgressCallback] = None) -> None:
        """Send the whole file; a second time, all of it again.

        Args:
            on_progress: called with (uploaded, total) after each chunk.

        Raises:
            RuntimeError: the channel closed before all was sent, or the file changed.
        """
        gate = _ChannelGate(self._channel, self._buffer_limit)
        self._uploaded_chunks = 0
        try:
            await gate.opened()
            async for payload in self._payloads():
                chunk = create_video_upload_chunk(
                    self._uploaded_chunks, self._total_chunks, payload
                )
                await gate.room_for(len(chunk))
                self._channel.send(chunk)
                self._uploaded_chunks += 1
                if on_progress is not None:
                    on_progress(self._uploaded_chunks, self._total_chunks)
        finally:
            gate.leave()
        if self._uploaded_chunks != self._total_chunks:
            raise RuntimeError(
                f"{self._path} changed while it was uploaded: "
                f"{self._uploaded_chunks} of {self._total_chunks} chunks were sent."
            )

    async def _payloads(self) -> AsyncIterator[bytes]:
        """Chunks of the file, read ahead in blocks, no more of them than were announced."""
        block_size = max(1, _READ_BYTES // self._chunk_size) * self._chunk_size
        left = self._total_chunks
        offset = 0
        while left and (block := await asyncio.to_thread(self._read, offset, block_size)):
            offset += len(block)
            for start in range(0, min(len(block), left * self._chunk_size), self._chunk_size):
                left -= 1
                yield block[start : start + self._chunk_size]

    def _read(self, offset: int, size: int) -> bytes:
        """Read a part. Opened anew each time: a cancelled upload leaves no open file behind."""
        with open(self._path, "rb") as file:
            file.seek(offset)
            return file.read(size)


class _ChannelGate:
    """Waits for a data channel to open, and to have room."""

    def __init__(self, channel: RTCDataChannel, buffer_limit: int) -> None:
        self._channel = channel
        self._buffer_limit = buffer_limit
        self._changed = asyncio.Event()
        # Waking at half rather than at the brim: some chunks go out per wake-up, and the other
        # half keeps the connection busy meanwhile.
        channel.bufferedAmountLowThreshold = buffer_limit // 2
        for event in _CHANNEL_EVENTS:
            channel.on(event, self._on_change)

    async def opened(self) -> None:
        while self._channel.readyState == "connecting":
            await self._change()
        self._require_open()

    async def room_for(self, size: int) -> None:
        """Wait until a message of `size` bytes fits, or the buffer is empty (a larger one)."""
        self._require_open()
        while 0 < self._channel.bufferedAmount > self._buffer_limit - size:
            await self._change()
            self._require_open()

    def leave(self) -> None:
        for event in _CHANNEL_EVENTS:
            with suppress(KeyError):  # a channel that closed has dropped its listeners
                self._channel.remove_listener(event, self._on_change)

    def _require_open(self) -> None:
        if self._channel.readyState != "open":
            raise RuntimeError(
                "The upload stopped: the data channel is "
                f"{self._channel.readyState}. The connection to the worker was lost."
            )

    def _on_change(self) -> None:
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await within(_RECHECK_SECONDS, self._changed.wait())  # in any case looked at again
