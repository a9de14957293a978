"""Lists of pictures: text, CSV, JSON, JSON lines, Parquet; with paths, URLs or base64."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from inference_sdk.batch.errors import SourceError
from inference_sdk.batch.items import (
    Deferred,
    Item,
    RemoteFile,
    Unit,
    digest_of,
    safe_name,
    text_of,
)
from inference_sdk.utils.masking import mask

COLUMNS = ("image", "image_path", "path", "file", "file_name", "filename", "url", "uri", "image_url",
           "base64")  # fmt: skip
"""Names of the column with the pictures, of which the first that is there is taken."""

ID_COLUMN = "id"
"""A column that names the pictures; without one, they are known by their path or URL."""

_LONGEST_PATH = 1024
"""Characters; what is longer and no URL is base64."""

Row = Mapping[str, Any]


def list_manifest(place: Any, version: str, column: str | None) -> Iterator[Unit]:
    """All pictures that a manifest names. It is read through once before the first is asked for.

    A relative path is meant from the folder of the manifest.

    Raises:
        SourceError: it cannot be read, has no such column, a row without a picture, or an id twice.
    """
    _check(place, column)
    yield Unit(text_of(place), version, partial(_items, place, column))


def _check(place: Any, column: str | None) -> None:
    seen: set[int] = set()
    for number, item in enumerate(_items(place, column), 1):
        digest = digest_of(item.id)
        if digest in seen:
            raise SourceError(f"{text_of(place)}, row {number}: {item.id!r} stands there twice.")
        seen.add(digest)
    if not seen:
        raise SourceError(f"{text_of(place)} names no picture.")


def _items(place: Any, column: str | None) -> Iterator[Item]:
    chosen = column
    for number, row in enumerate(_rows(place), 1):
        chosen = chosen or _column_of(row, place)
        if chosen not in row:
            raise SourceError(
                f"{text_of(place)} has no column {chosen!r} (row {number}). It has: "
                f"{', '.join(map(str, row))}."
            )
        value = row[chosen]
        if not isinstance(value, (str, bytes)) or not value:
            raise SourceError(
                f"{text_of(place)}, row {number}: no picture in column {chosen!r} "
                f"({'null' if value is None else repr(value)[:40]})."
            )
        yield _item(place, number, value, row.get(ID_COLUMN))


def _column_of(row: Row, place: Any) -> str:
    for name in COLUMNS:
        if name in row:
            return name
    raise SourceError(
        f"{text_of(place)}: which column holds the pictures? There are {', '.join(map(str, row))}. "
        "Name it (column)."
    )


def _item(place: Any, number: int, value: str | bytes, given: Any) -> Item:
    image, reference = _picture(place, number, value)
    id = image if given in (None, "") else str(given)  # noqa: A001 - the word for it
    return Item(
        id, image, reference, safe_name(id if given not in (None, "") else Path(image).name)
    )


def _picture(place: Any, number: int, value: str | bytes) -> tuple[str, Any]:
    if isinstance(value, bytes):
        return f"{text_of(place)}#{number}", value
    if value.startswith(("http://", "https://")):
        return mask(value), value
    if value.startswith("data:") or len(value) > _LONGEST_PATH:
        return f"{text_of(place)}#{number}", value
    if "://" in value:
        from inference_sdk.batch.sources.remote import remote_file

        return mask(value), Deferred(partial(remote_file, value, None))
    if isinstance(place, Path):
        return text_of(place.parent / value), place.parent / value
    return value, place.beside(value)


# -- rows of each form -------------------------------------------------------------------------


def _rows(place: Any) -> Iterator[Row]:
    read = SUFFIXES_READ[Path(text_of(place)).suffix.lower()]
    try:
        with place.open("rb") if isinstance(place, Path) else place.open() as file:
            yield from read(file)
    except SourceError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError(f"{text_of(place)} cannot be read: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")


def _text_lines(file: Any) -> Iterator[Row]:
    with io.TextIOWrapper(file, encoding="utf-8-sig") as lines:
        for line in lines:
            if stripped := line.strip():
                yield {"image": stripped}


def _csv(file: Any) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)  # base64 of a picture is longer than Python's 128 kB
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        yield from csv.DictReader(text)


def _json_lines(file: Any) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield _row(orjson.loads(line), number)


def _json(file: Any) -> Iterator[Row]:
    rows = orjson.loads(file.read())
    if not isinstance(rows, list):
        raise ValueError("it is no JSON array")
    for number, row in enumerate(rows, 1):
        yield _row(row, number)


def _row(value: Any, number: int) -> Row:
    if isinstance(value, str):
        return {"image": value}
    if isinstance(value, dict):
        return value
    raise ValueError(f"row {number} is neither an object nor a path")


def _parquet(file: Any) -> Iterator[Row]:
    try:
        import pyarrow.parquet
    except ImportError:
        raise SourceError("Parquet needs pyarrow: pip install 'inference-sdk[batch]'.") from None
    for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=256):
        yield from batch.to_pylist()


SUFFIXES_READ = {
    ".txt": _text_lines,
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
SUFFIXES = frozenset(SUFFIXES_READ)

__all__ = ["COLUMNS", "SUFFIXES", "RemoteFile", "list_manifest"]
