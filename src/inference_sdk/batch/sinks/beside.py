"""Pictures that are saved beside the answers: with what was found drawn on them, or cut out of them.

Each is written before its answer is, and whole; a run that dies in between writes it again.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inference_sdk.batch.errors import TargetError
from inference_sdk.batch.items import Item, safe_name
from inference_sdk.batch.log import cannot_write
from inference_sdk.batch.sinks.findings import objects_of, predictions_of
from inference_sdk.batch.sinks.pictures import pixels_of

_ENCODINGS = {".png": "png", ".webp": "webp"}
"""Endings that are kept; whatever has another is written as JPEG."""


class Annotated:
    """The pictures of the source, annotated, in sub-folders as there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Raise if supervision is not there, or the folder cannot be made."""
        if find_spec("supervision") is None:
            raise TargetError(
                "Annotated pictures need supervision: pip install 'inference-sdk[viz]'."
            )
        _make(self.folder)

    def save(self, item: Item, result: Any) -> None:
        from inference_sdk.viz import annotate

        frame = annotate(pixels_of(item.reference), predictions_of(result) or result)
        _write(frame, self.folder / item.name)


class Crops:
    """Each object on a picture of its own, in a sub-folder named as its class."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Raise if the folder cannot be made."""
        _make(self.folder)

    def save(self, item: Item, result: Any) -> None:
        frame = pixels_of(item.reference)
        height, width = frame.shape[:2]
        name = Path(item.name)
        for number, found in enumerate(objects_of({"result": result})):
            left, top = max(round(found.left), 0), max(round(found.top), 0)
            right = min(round(found.left + found.width), width)
            bottom = min(round(found.top + found.height), height)
            if left < right and top < bottom:
                folder = self.folder / safe_name(found.name.replace("/", "_")) / name.parent
                file = folder / f"{name.stem}-{number}{name.suffix}"
                _write(frame[top:bottom, left:right], file)


def _write(frame: Any, path: Path) -> None:
    from inference_sdk.http.utils.encoding import encode_image

    suffix = path.suffix.lower()
    if suffix not in (".jpg", ".jpeg", *_ENCODINGS):
        path = path.with_name(f"{path.name}.jpg")
    content = encode_image(frame, _ENCODINGS.get(suffix, "jpeg"))
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise cannot_write(path, error) from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
