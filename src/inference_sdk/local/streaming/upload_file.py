"""An upload on its way to disk: chunks in from the event loop, written by a thread, read later.

The file is temporary and belongs to this object; closing deletes it. What the chunks mean is the
business of `upload`.
"""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Optional

from inference_sdk.local.streaming.upload import UploadAssembler, UploadError

UNWRITTEN_LIMIT = 2048
"""Chunks that may wait for the disk, 96 MiB of them; nothing slows the sender down."""


class UploadFile:
    """Receives one file; made in the event loop."""

    def __init__(self, assembler: Optional[UploadAssembler] = None) -> None:
        self._assembler = assembler or UploadAssembler()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream-upload")
        self._opened = self._thread.submit(_open)
        self._accepted = 0  # counted by the event loop
        self._written = 0  # counted by the thread
        self._failure: Optional[OSError] = None
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def accept(self, message: object) -> None:
        """Take a message of the channel; returns at once."""
        if self._finished.done():
            return
        try:
            for part in self._assembler.accept(message):
                self._write_later(part)
        except UploadError as error:
            self._finished.set_exception(error)
            return
        if self._assembler.complete:
            self._finished.set_result(None)

    async def path(self) -> str:
        """Where the file lies, once all of it is there.

        Raises:
            UploadError: it is larger than allowed, or cannot be stored.
        """
        await self._finished
        try:
            return await asyncio.wrap_future(self._thread.submit(self._flush))
        except OSError as error:
            raise UploadError(f"The upload cannot be stored: {error.strerror}") from error

    async def close(self) -> None:
        """Delete the file."""
        self._finished.cancel()
        await asyncio.gather(self._finished, return_exceptions=True)
        self._thread.submit(lambda: self._opened.result().close())
        await asyncio.to_thread(self._thread.shutdown)

    def _write_later(self, part: bytes) -> None:
        if self._accepted - self._written >= UNWRITTEN_LIMIT:
            raise UploadError("The upload comes faster than it can be stored.")
        self._accepted += 1
        self._thread.submit(self._write, part)

    def _write(self, part: bytes) -> None:
        try:
            self._opened.result().write(part)
        except OSError as error:
            self._failure = error
        self._written += 1

    def _flush(self) -> str:
        if self._failure is not None:
            raise self._failure
        file = self._opened.result()
        file.flush()
        return str(file.name)


def _open() -> IO[bytes]:
    return tempfile.NamedTemporaryFile(prefix="inference-upload-", suffix=".video")
