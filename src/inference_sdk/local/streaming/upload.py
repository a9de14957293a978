"""Putting an uploaded file together again. Pure: bytes in, bytes in order out, no file, no channel.

The channel is reliable and ordered, so chunks that come early are the work of a broken or hostile
client: few of them are held, and whatever makes no sense is passed over.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct("<II")
"""chunk_index, total_chunks."""

HELD_LIMIT = 128
"""Chunks that came before their turn; a message has at most 64 KiB."""

SIZE_LIMIT = 4 * 1024 * 1024 * 1024
"""Bytes of a whole upload."""


class UploadError(Exception):
    """The upload cannot be taken; the message is for the client."""


class UploadAssembler:
    """Takes the messages of `video_upload`, gives the bytes of the file in order.

    Example:
        >>> assembler = UploadAssembler()
        >>> assembler.accept(HEADER.pack(1, 2) + b"world"), assembler.complete
        ([], False)
        >>> assembler.accept(HEADER.pack(0, 2) + b"hello "), assembler.complete
        ([b'hello ', b'world'], True)
    """

    def __init__(self, size_limit: int = SIZE_LIMIT, held_limit: int = HELD_LIMIT) -> None:
        self._size_limit = size_limit
        self._held_limit = held_limit
        self._held: dict[int, bytes] = {}
        self._next = 0
        self._total = 0
        self._size = 0

    @property
    def complete(self) -> bool:
        """Whether every chunk has come."""
        return self._total > 0 and self._next == self._total

    def accept(self, message: object) -> list[bytes]:
        """What can be written now: nothing, the message's payload, or that and what waited for it.

        Raises:
            UploadError: the file is larger than the limit.
        """
        if not isinstance(message, bytes) or len(message) < HEADER.size:
            return []
        index, total = HEADER.unpack_from(message)
        if not self._makes_sense(index, total):
            return []
        self._total = total
        payload = message[HEADER.size :]
        if index == self._next:
            return self._in_turn(payload)
        self._hold(index, payload)
        return []

    def _makes_sense(self, index: int, total: int) -> bool:
        return total == (self._total or total) and self._next <= index < total

    def _hold(self, index: int, payload: bytes) -> None:
        if len(self._held) < self._held_limit:
            self._held.setdefault(index, payload)

    def _in_turn(self, payload: bytes) -> list[bytes]:
        ready = [payload]
        self._next += 1
        while self._next in self._held:
            ready.append(self._held.pop(self._next))
            self._next += 1
        self._size += sum(map(len, ready))
        if self._size > self._size_limit:
            raise UploadError(f"The upload is larger than {self._size_limit} bytes.")
        return ready
