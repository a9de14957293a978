"""Answers on disk: lines of JSON that are only ever appended, and what survives of them.

The file is its own journal. A line is whole or, at the very end of the file, torn: then it is cut
off, and its picture asked for again. Nothing is buffered in the process, so `kill -9` loses no line
that was written; each second the lines are forced to the disk as well, so a power failure costs a
second of work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from inference_sdk.batch.errors import TargetError

Record = dict[str, Any]
"""A line: `image`, `id` where it differs, `frame` and `time`, and `result` or `error`."""

SYNC_SECONDS = 1.0

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE


class Line(NamedTuple):
    """A line of the file, and where it is."""

    offset: int
    length: int
    record: Record


def id_of(record: Mapping[str, Any]) -> str:
    """The id of the picture that a line is about."""
    return str(record.get("id", record["image"]))


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as its line.

    Raises:
        TypeError: there is something in it that JSON cannot hold.
    """
    return orjson.dumps(record, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def read_lines(path: Path) -> Iterator[Line]:
    """The whole lines of a file, up to the first that is torn or no record; none if no file."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        offset = 0
        for line in file:
            record = _record(line)
            if record is None:
                return
            yield Line(offset, len(line), record)
            offset += len(line)


def _record(line: bytes) -> Record | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    whole = isinstance(record, dict) and isinstance(record.get("image"), str)
    return record if whole else None


class Log:
    """The file, open for appending after its last whole line.

    Raises:
        TargetError: it cannot be opened or written.
    """

    def __init__(self, path: Path, end: int) -> None:
        self._path = path
        self._end = end
        self._synced = time.monotonic()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
        except OSError as error:
            raise cannot_write(path, error) from None

    def append(self, line: bytes) -> None:
        """Write a line; whole, or not at all."""
        try:
            self._write(line)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise cannot_write(self._path, error) from None
        self._end += len(line)
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Force what was written to the disk."""
        with suppress(OSError):  # some file systems cannot
            os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        self.sync()
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._file, rest) :]


def cannot_write(path: object, error: OSError) -> TargetError:
    """The error for a file that cannot be written."""
    reason = error.strerror or type(error).__name__
    return TargetError(
        f"{path} cannot be written: {reason}. What is there is kept; the same call goes on once "
        "that is mended."
    )
