"""Pictures of a folder, sub-folders too, of wildcards, and single ones."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inference_sdk.batch.errors import SourceError
from inference_sdk.batch.items import Item, Unit, safe_name, text_of

SUFFIXES = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".jpe", ".jpeg", ".jpg", ".jp2", ".png", ".tif", ".tiff",
     ".webp"}
)  # fmt: skip
"""Endings of pictures, in any case; other files of a folder are passed over."""


def version_of(path: Path) -> str:
    """Changes when a file does."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def is_pattern(text: str) -> bool:
    return glob.has_magic(text)


def list_folder(folder: Path) -> Iterator[Unit]:
    """Pictures of a folder and of those in it, by name; hidden ones are passed over.

    Raises:
        SourceError: a folder cannot be read.
    """
    # Names, not entries, are kept while a folder is walked: it may hold a million.
    for name, below in _entries(folder):
        path = folder / name
        if below:
            for unit in list_folder(path):
                yield _below(unit, name)
        else:
            yield _unit(path, safe_name(text_of(name)))


def list_pattern(pattern: str) -> Iterator[Unit]:
    """Pictures that wildcards mean, by name.

    Raises:
        SourceError: there is none.
    """
    found = sorted(p for p in glob.iglob(pattern, recursive=True) if _is_picture(p))
    if not found:
        raise SourceError(f"No picture fits {text_of(pattern)}.")
    base = os.path.commonpath([os.path.dirname(path) for path in found])
    for path in found:
        yield _unit(Path(path), safe_name(text_of(os.path.relpath(path, base or "."))))


def list_file(place: Any, version: str) -> Iterator[Unit]:
    """One picture."""
    name = safe_name(Path(text_of(place)).name)
    yield Unit(text_of(place), version, lambda: iter([_item(place, name)]))


def _entries(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.name, below)
                for entry in entries
                if not entry.name.startswith(".")
                and ((below := entry.is_dir()) or _is_picture(entry.name))
            ]
    except OSError as error:
        raise SourceError(f"{text_of(folder)} cannot be read: {error.strerror}.") from None
    return sorted(found)


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _unit(path: Path, name: str) -> Unit:
    try:
        version = version_of(path)
    except OSError:
        version = "unreadable"  # a link to nowhere: the picture fails, the job goes on
    return Unit(text_of(path), version, lambda: iter([_item(path, name)]))


def _item(place: Any, name: str) -> Item:
    return Item(text_of(place), text_of(place), place, name)


def _below(unit: Unit, folder: str) -> Unit:
    def items() -> Iterator[Item]:
        for item in unit.items():
            yield Item(
                item.id, item.image, item.reference, f"{safe_name(text_of(folder))}/{item.name}"
            )

    return Unit(unit.name, unit.version, items)
