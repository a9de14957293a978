"""Files and streams to bytes: whole, or an error that says why not; never without an end.

A path may lead to a folder, to a pipe that nobody writes to, to a device that never ends. Only
regular files are read by path. What is read as a stream is bounded.
"""

from __future__ import annotations

import inspect
import os
import stat
from typing import Any

from inference_sdk.http.errors import EncodingError, InvalidInputFormatError

LONGEST_PATH = 4096
"""Characters (PATH_MAX on Linux); longer text is not looked for on the disk."""

LONGEST_SHOWN = 160
"""Characters of a name in a message."""

LARGEST_INPUT_BYTES = 2**30
"""Of one picture: more is a mistake, or has no end. No server takes it."""

_CHUNK_SIZE = 2**20

FOLDER = "a folder"

_OTHER_FILES = {
    stat.S_IFDIR: FOLDER,
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_REMEDIES = {
    FOLDER: "Pass its files to infer_many(), or the folder to infer_on_stream().",
    "a pipe": "Read it, and pass the bytes, or the open file.",
}

REGULAR = "a file"


def shown(name: str) -> str:
    """A name as messages show it: quoted, control characters escaped, and not longer than a line."""
    if len(name) > LONGEST_SHOWN:
        name = f"{name[: LONGEST_SHOWN // 2]}…{name[-LONGEST_SHOWN // 2 :]}"
    return repr(name)


def what_is_there(path: str) -> str | None:
    """What a text leads to as a path: `REGULAR`, "a folder", "a pipe" …; None where there is nothing."""
    if len(path) > LONGEST_PATH:
        return None
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a NUL in it, or what no file system can name
        return None
    return REGULAR if stat.S_ISREG(mode) else _OTHER_FILES.get(stat.S_IFMT(mode), "no file")


def refuse_what_is_no_file(path: str, found: str) -> None:
    """Raises:
    InvalidInputFormatError: the path leads to a folder, a pipe, a device …
    """
    if found != REGULAR:
        remedy = _REMEDIES.get(found, "Pass the path of a file.")
        raise InvalidInputFormatError(f"{shown(path)} is {found}, not an image file. {remedy}")


def read_file(path: str) -> bytes:
    """All bytes of a regular file.

    Raises:
        InvalidInputFormatError: the path leads to something else than a file.
        EncodingError: it cannot be read.
    """
    refuse_what_is_no_file(path, what_is_there(path) or REGULAR)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_INPUT_BYTES:
                raise _too_large(shown(path))
            return file.read() if size else _bounded(file, shown(path))  # /proc tells no sizes
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EncodingError(f"{shown(path)} cannot be read: {reason}.") from error


def read_stream(stream: Any, name: str) -> bytes:
    """All bytes of an open binary file: from its start, where it can go there.

    Raises:
        InvalidInputFormatError: it is open in text mode, or has to be awaited.
        EncodingError: it cannot be read, or has no end.
    """
    if inspect.iscoroutinefunction(stream.read):
        raise InvalidInputFormatError(f"{name} is read asynchronously. Pass `await file.read()`.")
    try:
        _rewind(stream)
        # What only has `read` may take no argument.
        payload = _bounded(stream, name) if hasattr(stream, "seekable") else stream.read()
    except UnicodeDecodeError:
        payload = ""  # text mode
    except (OSError, ValueError) as error:  # ValueError: it is closed, or for writing
        raise EncodingError(f"{name} cannot be read: {error}.") from error
    if not isinstance(payload, (bytes, bytearray)):
        raise InvalidInputFormatError(f"{name} is not open in binary mode. Open it with 'rb'.")
    return bytes(payload)


def _rewind(stream: Any) -> None:
    seekable = getattr(stream, "seekable", None)
    if seekable() if seekable is not None else hasattr(stream, "seek"):
        stream.seek(0)


def _bounded(stream: Any, name: str) -> Any:
    """What a stream gives up to its end; of one in text mode, what it gives first."""
    first = stream.read(_CHUNK_SIZE)
    if not isinstance(first, bytes):
        return first
    parts, size = [first], len(first)
    while part := stream.read(_CHUNK_SIZE):
        parts.append(part)
        size += len(part)
        if size > LARGEST_INPUT_BYTES:
            raise _too_large(name)
    return b"".join(parts)


def _too_large(name: str) -> EncodingError:
    return EncodingError(
        f"{name} holds more than {LARGEST_INPUT_BYTES >> 20} MiB, which no picture does."
    )
