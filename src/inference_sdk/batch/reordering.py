"""Lines written anew: without those of failures, or in the order of the source."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from inference_sdk.batch.items import digest_of
from inference_sdk.batch.log import cannot_write, id_of, read_lines


def drop_failures(path: Path) -> None:
    """Keep the lines with an answer.

    Raises:
        TargetError: it cannot be written; the old lines are kept.
    """
    _replace(path, ((x.offset, x.length) for x in read_lines(path) if "error" not in x.record))


def reorder(path: Path, order: array[int]) -> None:
    """Bring the lines into an order of ids (as `digest_of` gives them); those of others come last.

    Raises:
        TargetError: it cannot be written; the old lines are kept.
    """
    places = {digest_of(id_of(x.record)): (x.offset, x.length) for x in read_lines(path)}
    _replace(path, _in_order(places, order))


def _in_order(places: dict[int, tuple[int, int]], order: array[int]) -> Iterator[tuple[int, int]]:
    for digest in order:
        if (place := places.pop(digest, None)) is not None:
            yield place
    yield from places.values()


def _replace(path: Path, places: Iterable[tuple[int, int]]) -> None:
    new = path.with_name(f"{path.name}.new")
    try:
        with path.open("rb") as old, new.open("wb") as file:
            for offset, length in places:
                old.seek(offset)
                file.write(old.read(length))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise cannot_write(path, error) from None
