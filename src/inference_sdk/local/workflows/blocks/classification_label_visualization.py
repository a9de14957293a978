"""Names of classes on the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    STEP_OUTPUT,
    Number,
    Text,
    Whole,
    refers,
    takes,
)
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.drawing import Drawing, PaletteFields, colour_of, position_of
from inference_sdk.local.workflows.images import Pixels


class ClassificationLabelVisualization(PaletteFields, Drawing):
    """The classes of the picture, at one of its edges."""

    TYPES = ("roboflow_core/classification_label_visualization@v1",)

    predictions: Annotated[dict[str, Any], refers(k.CLASSIFICATION, to=STEP_OUTPUT)]
    text: Annotated[Literal["Class", "Confidence", "Class and Confidence"], takes(k.STRING)] = (
        "Class"
    )
    text_position: Annotated[
        Literal[
            "CENTER",
            "CENTER_LEFT",
            "CENTER_RIGHT",
            "TOP_CENTER",
            "TOP_LEFT",
            "TOP_RIGHT",
            "BOTTOM_LEFT",
            "BOTTOM_CENTER",
            "BOTTOM_RIGHT",
        ],
        takes(k.STRING),
    ] = "TOP_LEFT"
    text_color: Text = "WHITE"
    text_scale: Number = 1.0
    text_thickness: Whole = 1
    text_padding: Whole = 10
    border_radius: Whole = 0

    def draw(self, scene: Pixels) -> Pixels:
        import supervision as sv

        classes = _classes(self.predictions)
        height, width = scene.shape[:2]
        step = int(self.text_scale * 20) + 2 * self.text_padding
        boxes = [[0, step * (row + 1), width, height] for row in range(len(classes))]
        found = Detections.of(
            boxes,
            classes=[name for name, _, _ in classes],
            class_ids=[class_id for _, class_id, _ in classes],
            confidences=[confidence for _, _, confidence in classes],
        )
        annotator = sv.LabelAnnotator(
            **self.colours(),
            text_color=colour_of(self.text_color),
            text_scale=self.text_scale,
            text_thickness=self.text_thickness,
            text_padding=self.text_padding,
            text_position=position_of(self.text_position),
            border_radius=self.border_radius,
        )
        return np.asarray(annotator.annotate(scene, found.to_supervision(), self._labels(classes)))

    def _labels(self, classes: list[tuple[str, int, float]]) -> list[str]:
        forms = {
            "Class": "{name}",
            "Confidence": "{confidence:.2f}",
            "Class and Confidence": "{name} {confidence:.2f}",
        }
        form = forms[self.text]
        return [form.format(name=name, confidence=confidence) for name, _, confidence in classes]


def _classes(answer: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """Name, id and confidence of the classes that hold; the surest first."""
    found = answer["predictions"]
    if isinstance(found, Mapping):
        rows = [(name, found[name]) for name in answer.get("predicted_classes", ())]
    else:
        rows = [(one["class"], one) for one in found if one["class"] == answer.get("top")]
    read = [(str(n), int(one["class_id"]), float(one["confidence"])) for n, one in rows]
    return sorted(read, key=lambda each: -each[2])
