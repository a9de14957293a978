"""Classes of boxes out of what was found in their crops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Optional

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import AnyBoxes, Block, Outputs, refers, takes
from inference_sdk.local.workflows.images import new_id


class _Class(NamedTuple):
    name: str
    class_id: int
    confidence: float


class DetectionsClassesReplacement(Block):
    """Gives each box the class that its crop got; boxes without one fall out or get the fallback.

    Classifications are joined to the box by their parent; texts in the order of the boxes.
    """

    TYPES = ("roboflow_core/detections_classes_replacement@v1", "DetectionsClassesReplacement")
    OUTPUTS = {"predictions": k.ALL_BOXES}
    DIMENSIONS = {"object_detection_predictions": 0, "classification_predictions": 1}

    object_detection_predictions: AnyBoxes
    classification_predictions: Annotated[Any, refers(k.CLASSIFICATION, k.LIST, k.STRING)]
    fallback_class_name: Annotated[Optional[str], takes(k.STRING)] = None
    fallback_class_id: Annotated[Optional[int], takes(k.INTEGER)] = None

    def run(self) -> Outputs:
        found = self.object_detection_predictions
        classes = self._classes(found.detection_id)
        rows = [row for row, given in enumerate(classes) if given is not None]
        chosen = [given for given in classes if given is not None]
        return {
            "predictions": found.keep(np.asarray(rows, int)).with_columns(
                **{
                    "class": [each.name for each in chosen],
                    "class_id": [each.class_id for each in chosen],
                    "confidence": [each.confidence for each in chosen],
                    "detection_id": [new_id() for _ in chosen],
                }
            )
        }

    def _classes(self, ids: Any) -> list[_Class | None]:
        """The class of each box; None where it falls out."""
        given = [each for each in self.classification_predictions if each is not None]
        if any(isinstance(each, Mapping) for each in given):
            named = {each.get("parent_id"): _top(each) or self._fallback() for each in given}
            return [named.get(detection_id) for detection_id in ids]
        texts = [_text(each) for each in given]
        read = [self._fallback() if text is None else _Class(text, 0, 1.0) for text in texts]
        return [read[row] if row < len(read) else None for row in range(len(ids))]

    def _fallback(self) -> _Class | None:
        if self.fallback_class_name is None:
            return None
        class_id = self.fallback_class_id
        return _Class(self.fallback_class_name, 2**63 - 1 if class_id is None else class_id, 0.0)


def _top(answer: Mapping[str, Any]) -> _Class | None:
    """The surest class of a classification; None where there is none."""
    found = answer.get("predictions")
    if isinstance(found, Mapping):
        rows = [(name, found[name]) for name in answer.get("predicted_classes", ())]
    else:
        rows = [(one["class"], one) for one in found or ()]
    if not rows:
        return None
    name, one = max(rows, key=lambda row: float(row[1]["confidence"]))
    return _Class(str(name), int(one["class_id"]), float(one["confidence"]))


def _text(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        return str(value[0]) if value else None
    return str(value) if value else None
