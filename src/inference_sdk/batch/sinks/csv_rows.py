"""CSV: a row for each prediction, and one for each picture without any, so that all are there."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from inference_sdk.batch.log import Record
from inference_sdk.batch.sinks.findings import predictions_of
from inference_sdk.batch.target import Records

COLUMNS = (
    "image", "id", "frame", "time", "class", "class_id", "confidence", "x", "y", "width", "height",
    "image_width", "image_height", "detection_id", "result", "error", "error_class",
)  # fmt: skip
"""`x` and `y` are the centre of the box, in pixels; `result` is JSON where there is no list of
predictions (text, embeddings, outputs of a workflow).
"""

_OF_PREDICTION = ("class", "class_id", "confidence", "x", "y", "width", "height", "detection_id")


class CsvSink:
    """One file, UTF-8, with a head line."""

    is_folder = False

    def check(self) -> None:
        """Nothing is needed."""

    def write(self, records: Records, where: Path) -> None:
        with where.open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, COLUMNS, restval="")
            rows.writeheader()
            for record in records():
                rows.writerows(_rows(record))


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    common = {k: record[k] for k in COLUMNS if k in record and k != "result"}
    result = record.get("result")
    part = predictions_of(result)
    predictions = part.get("predictions")
    if "error" in record:
        yield common
    elif not isinstance(predictions, list):
        yield {**common, "result": orjson.dumps(result).decode()}
    else:
        common |= _size(part.get("image"))
        for prediction in predictions or [{}]:
            yield common | {k: prediction[k] for k in _OF_PREDICTION if k in prediction}


def _size(image: Any) -> dict[str, Any]:
    if not isinstance(image, Mapping):
        return {}
    return {f"image_{side}": image[side] for side in ("width", "height") if side in image}
