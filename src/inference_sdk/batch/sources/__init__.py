"""What a job is about: files, folders, wildcards, manifests, videos, archives, buckets, iterables.

Each kind is a function that lists units (`Unit`), in an order that is the same each time. A source
is read while the job runs, and never held as a whole.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Union

from inference_sdk.batch.errors import SourceError
from inference_sdk.batch.items import Unit, text_of
from inference_sdk.batch.sources import files, iterables, manifests, remote, videos

Reference = Union[str, "os.PathLike[str]"]
SourceLike = Union[Reference, Iterable[Any]]
"""A path, glob or URL; a list of these; or an iterable of images or of pairs (id, image)."""


@dataclass(frozen=True)
class Reading:
    """How a source is to be read.

    Attributes:
        column: of a manifest: which holds the pictures; None takes the usual names.
        every: of a video: each n-th frame.
        fps: of a video: frames a second, in place of `every`.
        storage_options: what fsspec needs for a bucket; never written anywhere.
    """

    column: str | None = None
    every: int = 1
    fps: float | None = None
    storage_options: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SourceError(f"every is {self.every}, but each first frame is the least.")
        if self.fps is not None and not self.fps > 0:
            raise SourceError(f"fps is {self.fps}, but must be above 0.")


@dataclass(frozen=True)
class Source:
    """A source that can be listed, again and again unless it is an iterator.

    Attributes:
        name: as people know it.
        description: what tells it from other sources, in the journal.
        unique: whether no id can be there twice.
        folders: those on this machine that are listed.
    """

    name: str
    description: dict[str, Any]
    lister: partial[Iterator[Unit]]
    unique: bool = False
    folders: tuple[Path, ...] = ()

    def units(self) -> Iterator[Unit]:
        """What there is, in order.

        Raises:
            SourceError: it cannot be read.
        """
        return self.lister()


def open_source(source: SourceLike, reading: Reading) -> Source:
    """A source for what was given; opens nothing yet, but refuses what cannot be.

    Raises:
        SourceError: nothing is there, or it is of no kind that is known.
    """
    if isinstance(source, (str, os.PathLike)):
        return _located([source], reading)
    if isinstance(source, (bytes, bytearray)) or hasattr(source, "read"):
        raise SourceError("A job takes many pictures, not one. For one call client.infer().")
    if isinstance(source, (list, tuple)) and all(map(_may_be_located, source)):
        if not source:
            raise SourceError("The source is an empty list.")
        return _located(list(source), reading)
    if isinstance(source, AsyncIterable) or not isinstance(source, Iterable):
        raise SourceError(f"A {type(source).__name__} is no source: it cannot be iterated over.")
    kind = type(source).__name__
    return Source(f"a {kind}", {"kind": kind}, partial(iterables.list_iterable, source))


def _may_be_located(reference: Any) -> bool:
    return isinstance(reference, (str, os.PathLike))


def _located(references: list[Reference], reading: Reading) -> Source:
    names = [text_of(reference) for reference in references]
    listers = [_lister(reference, reading) for reference in references]
    description: dict[str, Any] = {"names": list(map(remote.without_secrets, names))}
    description |= {"column": reading.column, "every": reading.every, "fps": reading.fps}
    shown = remote.without_secrets(names[0])
    name = shown if len(names) == 1 else f"{shown} and {len(names) - 1} more"
    unique = len(names) == 1 and not remote.is_archive(names[0])
    folders = tuple(Path(each) for each in references if os.path.isdir(each))
    return Source(name, description, partial(_one_after_another, listers), unique, folders)


def _one_after_another(listers: list[partial[Iterator[Unit]]]) -> Iterator[Unit]:
    for lister in listers:
        yield from lister()


def _lister(reference: Reference, reading: Reading) -> partial[Iterator[Unit]]:
    text = os.fspath(reference)
    if remote.is_remote(text):
        return remote.lister(text, reading.storage_options, partial(_unit_lister, reading=reading))
    path = Path(text)
    if path.is_dir():
        return partial(files.list_folder, path)
    if path.exists() and remote.is_archive(text):
        return partial(remote.list_archive, path, files.version_of(path))
    if path.exists():
        return _unit_lister(path, files.version_of(path), reading=reading)
    if files.is_pattern(text):
        return partial(files.list_pattern, text)
    raise SourceError(f"{text_of(text)} is not there. A source is a file, a folder, or a URL.")


def _unit_lister(place: Any, version: str, *, reading: Reading) -> partial[Iterator[Unit]]:
    """How a single file is listed, here or in a bucket (`place` is a path, or opens like one)."""
    suffix = Path(text_of(place)).suffix.lower()
    if suffix in manifests.SUFFIXES:
        return partial(manifests.list_manifest, place, version, reading.column)
    if suffix in videos.SUFFIXES:
        return partial(videos.list_video, place, version, reading.every, reading.fps)
    if suffix in files.SUFFIXES:
        return partial(files.list_file, place, version)
    raise SourceError(
        f"{text_of(place)} is no picture, video, archive or manifest that is known by its ending: "
        f"{', '.join(sorted(files.SUFFIXES | manifests.SUFFIXES | videos.SUFFIXES))}."
    )
