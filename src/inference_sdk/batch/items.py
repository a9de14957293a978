"""One picture of a big job, and the units that a source is listed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, BinaryIO

from inference_sdk.http.errors import EncodingError


@dataclass(frozen=True)
class Item:
    """One picture.

    Attributes:
        id: names it in the job, the same in each run.
        image: its path or URL, as people know it.
        reference: what the client is given: a path, URL, array, bytes, or an object with
            `read()`; or a `Deferred` that gives one.
        name: relative path, with `/`, under which pictures made of it are saved.
        place: where in a video it is: `frame` (from 0) and `time` (seconds).
    """

    id: str
    image: str
    reference: Any = field(repr=False)
    name: str
    place: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Unit:
    """What a source lists: a picture's file, a video, a manifest.

    Attributes:
        name: what it is called; empty for what has no name.
        version: changes when its content does (size and time of a file); empty if unknown.
        items: opens it, and gives its pictures in order.
    """

    name: str
    version: str
    items: Callable[[], Iterator[Item]] = field(repr=False)


class RemoteFile:
    """A file of a bucket or an archive; the client reads it like any open file.

    Attributes:
        label: its address without secrets.
    """

    def __init__(self, label: str, opener: Callable[[], BinaryIO]) -> None:
        self.label = label
        self.open = opener

    def read(self) -> bytes:
        """All of it.

        Raises:
            EncodingError: it cannot be read; says why.
        """
        try:
            with self.open() as file:
                return file.read()
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise EncodingError(f"{self.label!r} cannot be read: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@dataclass(frozen=True)
class Deferred:
    """A picture that is made when its turn comes, and not at all where its answer is there."""

    load: Callable[[], Any]


class Unreadable:
    """A picture that cannot be had; fails where it is read, and costs only itself."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def read(self) -> bytes:
        raise EncodingError(self.reason)


def text_of(place: Any) -> str:
    r"""A path, or a file elsewhere, as text that JSON can hold.

    Bytes of a path that are no UTF-8 become `\xNN`; secrets in a URL are masked.
    """
    if isinstance(place, RemoteFile):
        return place.label
    return os.fsencode(place).decode(errors="backslashreplace")


def digest_of(text: str) -> int:
    """64 bits that stand for an id: sets of them stay small where there are a million."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def safe_name(text: str) -> str:
    """A relative path that leads nowhere else, of characters that every file system takes."""
    parts = text.replace("\\", "/").split("/")
    kept = [_PLAIN.get(part, part) for part in map(_safe_part, parts)]
    return "/".join(part for part in kept if part) or "image"


_PLAIN = {".": "", "..": ""}


def _safe_part(part: str) -> str:
    return "".join("_" if c in ':*?"<>|' or ord(c) < 32 else c for c in part).strip()
