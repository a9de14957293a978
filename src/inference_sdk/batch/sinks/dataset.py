"""What the folders of datasets have in common: pictures, each under a name of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from inference_sdk.batch.items import safe_name
from inference_sdk.batch.log import Record, id_of
from inference_sdk.batch.sinks.findings import size_of
from inference_sdk.batch.sinks.pictures import size_of_file
from inference_sdk.batch.target import Records


def pictures_of(records: Records, folder: Path) -> Iterator[tuple[Record, str, tuple[int, int]]]:
    """Each answered line, with its picture's new name and its size (width, height) in pixels.

    Pictures on this machine are copied into the folder. One that is elsewhere (a URL, a frame of a
    video) is not: its name is what it would have.
    """
    taken: set[str] = set()
    for record in records():
        if "result" not in record:
            continue
        image = record["image"]
        name = _free_name(_name(record), taken)
        if "frame" not in record and os.path.isfile(image):
            # No link: whoever works on the dataset would work on the originals.
            shutil.copyfile(image, folder / name)
        yield record, name, size_of(record) or size_of_file(image) or (0, 0)


def _name(record: Record) -> str:
    path = PurePosixPath(safe_name(record["image"]))
    if "frame" in record:
        return f"{path.stem}-{record['frame']:06}.jpg"
    return path.name if path.suffix else f"{safe_name(id_of(record)).replace('/', '-')}.jpg"


def _free_name(name: str, taken: set[str]) -> str:
    path, free, number = PurePosixPath(name), name, 1
    # The stem counts, for it names the labels; and some file systems take A.jpg for a.jpg.
    while PurePosixPath(free).stem.lower() in taken:
        number += 1
        free = f"{path.stem}-{number}{path.suffix}"
    taken.add(PurePosixPath(free).stem.lower())
    return free
