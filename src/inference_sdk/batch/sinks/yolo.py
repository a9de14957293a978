"""A YOLO dataset, as of https://docs.ultralytics.com/datasets/detect: a text file a picture.

data.yaml           classes, and where the pictures are
images/a.jpg        pictures of this machine
labels/a.txt        a line an object: class, and its box or outline in parts of the picture
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from inference_sdk.batch.log import Record
from inference_sdk.batch.sinks.classes import classes_of
from inference_sdk.batch.sinks.dataset import pictures_of
from inference_sdk.batch.sinks.findings import Found, objects_of
from inference_sdk.batch.target import Records


class YoloSink:
    """A folder."""

    is_folder = True

    def check(self) -> None:
        """Nothing is needed."""

    def write(self, records: Records, where: Path) -> None:
        images, labels = where / "images", where / "labels"
        images.mkdir()
        labels.mkdir()
        classes = classes_of(records())
        for record, name, size in pictures_of(records, images):
            text = "".join(_lines(record, classes, size))
            (labels / f"{PurePosixPath(name).stem}.txt").write_text(text, encoding="utf-8")
        (where / "data.yaml").write_text(_yaml(classes), encoding="utf-8")


def _lines(record: Record, classes: dict[str, int], size: tuple[int, int]) -> list[str]:
    if not all(size):
        return []
    return [_line(found, classes[found.name], *size) for found in objects_of(record)]


def _line(found: Found, number: int, width: int, height: int) -> str:
    if len(found.polygon) >= 3:
        values = [v for x, y in found.polygon for v in (x / width, y / height)]
    else:
        centre = (found.left + found.width / 2) / width, (found.top + found.height / 2) / height
        values = [*centre, found.width / width, found.height / height]
    inside = (f"{min(max(value, 0.0), 1.0):.6f}" for value in values)
    return f"{number} {' '.join(inside)}\n"


def _yaml(classes: dict[str, int]) -> str:
    # JSON strings are YAML, whatever is in a name.
    names = "".join(f"- {json.dumps(name, ensure_ascii=False)}\n" for name in classes)
    names = f"names:\n{names}" if names else "names: []\n"
    return f"path: .\ntrain: images\nval: images\nnc: {len(classes)}\n{names}"
