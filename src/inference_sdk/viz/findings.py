"""What an answer says was found, in one form for all tasks: a name, how sure, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

BEST_CLASSES = 5
"""Of a classification, which answers with all its classes, a thousand perhaps."""


class Box(NamedTuple):
    """Edges in pixels, from the upper left corner of the picture."""

    left: float
    top: float
    right: float
    bottom: float


class Finding(NamedTuple):
    """An object with its box, or a class of the whole picture."""

    name: str
    confidence: float | None
    box: Box | None = None

    def __str__(self) -> str:
        return self.name if self.confidence is None else f"{self.name} {self.confidence:.2f}"


def findings(result: Mapping[str, Any]) -> list[Finding]:
    """What an answer of `infer` found, in the server's order; empty for nothing."""
    predictions = result.get("predictions")
    if isinstance(predictions, Mapping):
        return _of_labels(predictions, result.get("predicted_classes") or ())
    if not isinstance(predictions, list):
        return []
    found = [_of_prediction(prediction) for prediction in predictions]
    if found and found[0].box is None:
        return found[:BEST_CLASSES]
    return found


def _of_labels(predictions: Mapping[str, Any], chosen: Any) -> list[Finding]:
    return [Finding(str(name), (predictions.get(name) or {}).get("confidence")) for name in chosen]


def _of_prediction(prediction: Mapping[str, Any]) -> Finding:
    name = str(prediction.get("class", "?"))
    if "width" not in prediction:
        return Finding(name, prediction.get("confidence"))
    x, y = prediction["x"], prediction["y"]
    half_width, half_height = prediction["width"] / 2, prediction["height"] / 2
    box = Box(x - half_width, y - half_height, x + half_width, y + half_height)
    return Finding(name, prediction.get("confidence"), box)
