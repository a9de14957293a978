"""Bodies as they arrive: unpacked, and counted before they can fill the memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from math import inf

_GZIP = zlib.MAX_WBITS | 16


class TooLargeError(Exception):
    """The body is larger than it may be."""


class UnreadableBodyError(Exception):
    """The body is not packed as it says."""


class Sink:
    """Takes a body as it is, and keeps it, or hands it on to `keep` part by part."""

    def __init__(self, largest: int | None, keep: Callable[[bytes], object] | None = None) -> None:
        self._largest = inf if largest is None else largest
        self._parts: list[bytes] = []
        self._keep_part = keep or self._parts.append
        self._size = 0

    def expect(self, size: int) -> None:
        """Refuse at once what says that it is too large."""
        if size > self._largest:
            raise TooLargeError

    def add(self, part: bytes) -> None:
        """Take what has arrived.

        Raises:
            TooLargeError: it is more than there may be.
            UnreadableBodyError: it is not packed as it says.
        """
        self._keep(part)

    def content(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._largest:
            raise TooLargeError
        if part:
            self._keep_part(part)


class Unpacking(Sink):
    """Takes a body in gzip or zlib: no more is unpacked at once than may be there."""

    _PIECE_BYTES = 2**20

    def __init__(
        self, largest: int | None, wbits: int, keep: Callable[[bytes], object] | None = None
    ) -> None:
        super().__init__(largest, keep)
        self._wbits = wbits
        self._unpacker = zlib.decompressobj(wbits)
        self._packed_size = 0

    def add(self, part: bytes) -> None:
        if not part:
            return
        first = not self._packed_size
        self._packed_size += len(part)
        if self._packed_size > self._largest:  # what unpacks to nothing has no end either
            raise TooLargeError
        try:
            self._unpack(part)
        except zlib.error as error:
            if not first or self._wbits != zlib.MAX_WBITS:
                raise UnreadableBodyError(str(error)) from None
            # "deflate" means zlib, but some send the bare stream.
            self._wbits = -zlib.MAX_WBITS
            self._unpacker = zlib.decompressobj(self._wbits)
            self._packed_size = 1
            self.add(part)

    def _unpack(self, part: bytes) -> None:
        more = True
        while more:
            if self._unpacker.eof:  # gzip may hold several members
                if self._wbits != _GZIP:
                    raise UnreadableBodyError("more after its end")
                self._unpacker = zlib.decompressobj(self._wbits)
            piece = self._unpacker.decompress(part, self._PIECE_BYTES)
            self._keep(piece)
            part = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            more = bool(part) or (len(piece) == self._PIECE_BYTES and not self._unpacker.eof)

    def content(self) -> bytes:
        if self._packed_size and not self._unpacker.eof:
            raise UnreadableBodyError("it ends too early")
        return super().content()


def sink_for(
    encoding: str | None, largest: int | None, keep: Callable[[bytes], object] | None = None
) -> Sink:
    """What takes a body of that `Content-Encoding`.

    Raises:
        UnreadableBodyError: it is none that was asked for.
    """
    name = (encoding or "identity").strip().lower()
    if name in ("identity", ""):
        return Sink(largest, keep)
    if name in ("gzip", "x-gzip"):
        return Unpacking(largest, _GZIP, keep)
    if name == "deflate":
        return Unpacking(largest, zlib.MAX_WBITS, keep)
    raise UnreadableBodyError(f"encoded as {name[:50]!r}, which was not asked for")
