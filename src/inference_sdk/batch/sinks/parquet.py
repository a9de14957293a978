"""Parquet by pyarrow (extra `batch`): a row for each picture, typed columns for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from inference_sdk.batch.errors import TargetError
from inference_sdk.batch.log import Record, id_of
from inference_sdk.batch.sinks.findings import predictions_of
from inference_sdk.batch.target import Records

ROWS_OF_A_GROUP = 5000

_OF_PREDICTION = ("class", "class_id", "confidence", "x", "y", "width", "height", "detection_id",
                  "tracker_id")  # fmt: skip


class ParquetSink:
    """One file, zstd. `result` is JSON where an answer has columns of no task.

    Columns: `id`, `image`, `frame`, `time`, `image_width`, `image_height`, `predictions` (a list of
    structs: class, box in pixels with its centre in `x` and `y`, `points`, `keypoints`),
    `embeddings` (rows of float32), `text`, `result`, `error`, `error_class`, `tries`.
    """

    is_folder = False

    def check(self) -> None:
        """Raise if pyarrow is not there."""
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise TargetError(
                "Parquet needs pyarrow: pip install 'inference-sdk[batch]'."
            ) from None

    def write(self, records: Records, where: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = _schema(pa)
        rows = map(_row, records())
        with pq.ParquetWriter(where, schema, compression="zstd") as writer:
            for group in _groups(rows):
                writer.write_table(pa.Table.from_pylist(group, schema))


def _schema(pa: Any) -> Any:
    number, text = pa.float64(), pa.string()
    point = pa.struct({"x": number, "y": number})
    keypoint = pa.struct({"x": number, "y": number, "confidence": number, "class": text})
    prediction = pa.struct(
        {
            "class": text,
            "class_id": pa.int64(),
            "confidence": number,
            "x": number,
            "y": number,
            "width": number,
            "height": number,
            "detection_id": text,
            "tracker_id": pa.int64(),
            "points": pa.list_(point),
            "keypoints": pa.list_(keypoint),
        }
    )
    return pa.schema(
        {
            "id": text,
            "image": text,
            "frame": pa.int64(),
            "time": number,
            "image_width": pa.int64(),
            "image_height": pa.int64(),
            "predictions": pa.list_(prediction),
            "embeddings": pa.list_(pa.list_(pa.float32())),
            "text": text,
            "result": text,
            "error": text,
            "error_class": text,
            "tries": pa.int64(),
        }
    )


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, ROWS_OF_A_GROUP)):
        yield group


def _row(record: Record) -> dict[str, Any]:
    row = {key: record[key] for key in record if key != "result"}
    row["id"] = id_of(record)
    if "result" in record:
        row |= _columns(record["result"])
    return row


def _columns(result: Any) -> dict[str, Any]:
    if not isinstance(result, Mapping):
        return {"result": _json(result)}
    part = predictions_of(result)
    if isinstance(predictions := part.get("predictions"), list):
        columns = {"predictions": [_prediction(p) for p in predictions]} | _size(part.get("image"))
        return columns if part is result else columns | {"result": _json(result)}
    if isinstance(embeddings := result.get("embeddings"), list):
        return {"embeddings": embeddings}
    if isinstance(text := result.get("result"), str):
        return {"text": text, "result": _json(result)}
    return {"result": _json(result)}


def _prediction(prediction: Any) -> dict[str, Any]:
    if not isinstance(prediction, Mapping):
        return {"class": str(prediction)}
    row = {key: prediction[key] for key in _OF_PREDICTION if key in prediction}
    for key in ("points", "keypoints"):
        if isinstance(prediction.get(key), list):
            row[key] = prediction[key]
    return row


def _size(image: Any) -> dict[str, Any]:
    if not isinstance(image, Mapping):
        return {}
    return {f"image_{side}": image.get(side) for side in ("width", "height")}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
