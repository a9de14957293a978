"""COCO JSON, as of https://cocodataset.org/#format-data: images, annotations, categories.

Written piece by piece, so that memory stays flat. Failed pictures are no images of it; they stand
under `failures`, a key of ours that other readers pass over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from inference_sdk.batch.log import Record, id_of
from inference_sdk.batch.sinks.classes import classes_of
from inference_sdk.batch.sinks.findings import Found, objects_of, size_of
from inference_sdk.batch.sinks.pictures import size_of_file
from inference_sdk.batch.target import Records


class CocoSink:
    """One file."""

    is_folder = False

    def check(self) -> None:
        """Nothing is needed."""

    def write(self, records: Records, where: Path) -> None:
        classes = classes_of(records())
        categories = [
            {"id": number + 1, "name": name, "supercategory": ""}
            for name, number in classes.items()
        ]
        with where.open("wb") as file:
            file.write(b'{"images":')
            _write_array(file, _images(records()))
            file.write(b',"annotations":')
            _write_array(file, _annotations(records(), classes))
            file.write(b',"categories":')
            _write_array(file, iter(categories))
            file.write(b',"failures":')
            _write_array(file, (r for r in records() if "error" in r))
            file.write(b"}\n")


def _write_array(file: BinaryIO, values: Iterator[Any]) -> None:
    file.write(b"[")
    file.writelines(
        (b",\n" if number else b"\n") + orjson.dumps(value) for number, value in enumerate(values)
    )
    file.write(b"]")


def _answered(records: Iterator[Record]) -> Iterator[tuple[int, Record]]:
    return enumerate((record for record in records if "result" in record), 1)


def _images(records: Iterator[Record]) -> Iterator[dict[str, Any]]:
    for number, record in _answered(records):
        width, height = size_of(record) or size_of_file(record["image"]) or (0, 0)
        image = {"id": number, "file_name": id_of(record), "width": width, "height": height}
        yield image | {key: record[key] for key in ("frame", "time") if key in record}


def _annotations(records: Iterator[Record], classes: dict[str, int]) -> Iterator[dict[str, Any]]:
    number = 0
    for image, record in _answered(records):
        for found in objects_of(record):
            number += 1
            yield _annotation(number, image, found, classes[found.name] + 1)


def _annotation(number: int, image: int, found: Found, category: int) -> dict[str, Any]:
    annotation: dict[str, Any] = {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [found.left, found.top, found.width, found.height],
        "area": found.width * found.height,
        "iscrowd": 0,
        "segmentation": [],
    }
    if len(found.polygon) >= 3:
        annotation["segmentation"] = [[value for point in found.polygon for value in point]]
        annotation["area"] = _area(found.polygon)
    elif isinstance(mask := found.prediction.get("rle_mask") or found.prediction.get("rle"), dict):
        annotation["segmentation"] = mask
    if found.confidence is not None:
        annotation["score"] = found.confidence
    if points := found.prediction.get("keypoints"):
        annotation["keypoints"] = [v for p in points for v in (p["x"], p["y"], 2)]
        annotation["num_keypoints"] = len(points)
    return annotation


def _area(polygon: tuple[tuple[float, float], ...]) -> float:
    """Of a polygon, by the shoelace formula; in square pixels."""
    following = polygon[1:] + polygon[:1]
    pairs = zip(polygon, following, strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
