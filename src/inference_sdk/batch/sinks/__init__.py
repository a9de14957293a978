"""Forms of targets, by the ending of the target or by name; a module for each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from inference_sdk.batch.errors import TargetError
from inference_sdk.batch.sinks.beside import Annotated, Crops
from inference_sdk.batch.sinks.coco import CocoSink
from inference_sdk.batch.sinks.csv_rows import CsvSink
from inference_sdk.batch.sinks.parquet import ParquetSink
from inference_sdk.batch.sinks.voc import VocSink
from inference_sdk.batch.sinks.yolo import YoloSink
from inference_sdk.batch.target import Sink, Target

Form = Literal["jsonl", "csv", "parquet", "coco", "yolo", "voc"]

_SINKS: dict[str, Callable[[], Sink] | None] = {
    "jsonl": None,  # the lines are the target
    "csv": CsvSink,
    "parquet": ParquetSink,
    "coco": CocoSink,
    "yolo": YoloSink,
    "voc": VocSink,
}

_BY_ENDING = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".json": "coco",
}


def open_target(
    where: str | os.PathLike[str],
    form: Form | None,
    save: str | os.PathLike[str] | None,
    crops: str | os.PathLike[str] | None,
    storage_options: dict[str, Any] | None,
) -> Target:
    """The target that is meant.

    Raises:
        TargetError: its form is not known.
    """
    ending = Path(os.fspath(where).partition("?")[0]).suffix.lower()
    chosen = form or _BY_ENDING.get(ending)
    if chosen not in _SINKS:
        raise TargetError(
            f"Which form is {os.fspath(where)} to have? It is chosen by the ending "
            f"({', '.join(_BY_ENDING)}), or by name: {', '.join(_SINKS)}."
        )
    make = _SINKS[chosen]
    beside = [kind(Path(folder)) for kind, folder in ((Annotated, save), (Crops, crops)) if folder]
    return Target(where, chosen, make() if make else None, beside, storage_options)
