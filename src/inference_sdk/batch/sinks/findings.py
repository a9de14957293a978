"""What was found, taken from an answer of any call for the forms that hold boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from inference_sdk.batch.log import Record


class Found(NamedTuple):
    """An object: its class, and its box in pixels from the upper left corner.

    Attributes:
        name: of the class.
        number: of the class, as the server counts; None if it does not.
        confidence: 0..1; None if it is not told.
        left, top, width, height: of the box.
        polygon: points (x, y) of its outline; empty without one.
        prediction: as the server tells it.
    """

    name: str
    number: int | None
    confidence: float | None
    left: float
    top: float
    width: float
    height: float
    polygon: tuple[tuple[float, float], ...]
    prediction: Mapping[str, Any]


def predictions_of(result: Any) -> Mapping[str, Any]:
    """The part of an answer with `predictions`: itself, or the first such output of a workflow."""
    if isinstance(result, Mapping):
        if "predictions" in result and not isinstance(result["predictions"], Mapping):
            return result
        for output in result.values():
            if isinstance(output, Mapping) and isinstance(output.get("predictions"), list):
                return output
    return {}


def objects_of(record: Record) -> Iterator[Found]:
    """The objects of a line; none of one that failed, or of an answer without boxes."""
    predictions = predictions_of(record.get("result")).get("predictions")
    for prediction in predictions if isinstance(predictions, list) else ():
        if isinstance(prediction, Mapping) and prediction.keys() >= _BOX:
            yield _found(prediction)


def size_of(record: Record) -> tuple[int, int] | None:
    """(width, height) of the picture in pixels, if the answer tells it."""
    image = predictions_of(record.get("result")).get("image")
    if not isinstance(image, Mapping) or not image.get("width") or not image.get("height"):
        return None
    return int(image["width"]), int(image["height"])


_BOX = {"x", "y", "width", "height"}


def _found(prediction: Mapping[str, Any]) -> Found:
    width, height = float(prediction["width"]), float(prediction["height"])
    number = prediction.get("class_id")
    return Found(
        name=str(prediction.get("class", "")),
        number=number if isinstance(number, int) else None,
        confidence=prediction.get("confidence"),
        left=float(prediction["x"]) - width / 2,
        top=float(prediction["y"]) - height / 2,
        width=width,
        height=height,
        polygon=tuple((float(p["x"]), float(p["y"])) for p in prediction.get("points") or ()),
        prediction=prediction,
    )
