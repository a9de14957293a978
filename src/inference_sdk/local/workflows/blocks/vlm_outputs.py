"""What language models write, as boxes and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Optional

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, refers, takes
from inference_sdk.local.workflows.blocks.formatters import parsed
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import new_id

Written = Annotated[str, refers(k.LANGUAGE_MODEL_OUTPUT)]
GRID = 1000
"""Of Gemini's boxes: parts of a side."""

UNKNOWN = -1
"""Id of a class that is not in the list."""

Found = tuple[str, float, tuple[float, float, float, float]]
"""A class, how sure it is, and left, top, right, bottom in pixels."""


class VLMAsDetector(Block):
    """Text of a language model to boxes."""

    TYPES = ("roboflow_core/vlm_as_detector@v2",)
    OUTPUTS = {
        "error_status": (k.BOOLEAN,),
        "predictions": (k.DETECTIONS,),
        "inference_id": (k.INFERENCE_ID,),
    }

    image: Image
    vlm_output: Written
    classes: Annotated[Optional[list[str]], takes(k.LIST)]
    model_type: Literal[
        "openai",
        "google-gemini",
        "anthropic-claude",
        "spacexai",
        "qwen",
        "muse",
        "zai",
        "zai-flash",
        "florence-2",
    ]
    task_type: Literal[
        "object-detection",
        "open-vocabulary-object-detection",
        "phrase-grounded-object-detection",
        "object-detection-and-caption",
        "region-proposal",
        "ocr-with-text-detection",
    ]

    def run(self) -> Outputs:
        try:
            found = self._found(parsed(self.vlm_output))
        except (KeyError, TypeError, ValueError, AttributeError):
            # Whatever a language model may write: what cannot be read is told, not raised.
            return {"error_status": True, "predictions": None, "inference_id": new_id()}
        names = [name for name, _, _ in found]
        predictions = Detections.of(
            [box for _, _, box in found],
            classes=names,
            class_ids=[_id_of(name, self.classes) for name in names],
            confidences=[confidence for _, confidence, _ in found],
            image=self.image,
        )
        return {"error_status": False, "predictions": predictions, "inference_id": new_id()}

    def _found(self, answer: Any) -> list[Found]:
        width, height = self.image.size
        if self.model_type == "florence-2":
            labels = answer.get("labels") or answer.get("bboxes_labels") or []
            return [
                (str(label or "roi"), 1.0, _four(box))
                for box, label in zip(answer["bboxes"], labels, strict=False)
            ]
        if isinstance(answer, list):
            sides = (height / GRID, width / GRID) * 2
            return [_of_grid(one, sides) for one in answer]
        sides = (width, height) * 2
        return [_of_parts(one, sides) for one in answer["detections"]]


def _of_grid(one: Mapping[str, Any], sides: Sequence[float]) -> Found:
    """A box as Gemini writes it: top, left, bottom, right in thousandths."""
    top, left, bottom, right = (
        edge * side for edge, side in zip(_four(one["box_2d"]), sides, strict=True)
    )
    return str(one["label"]), _sure(one), (left, top, right, bottom)


def _of_parts(one: Mapping[str, Any], sides: Sequence[float]) -> Found:
    """A box whose edges are parts of the picture's sides."""
    edges = (float(one[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
    left, top, right, bottom = (round(edge * side) for edge, side in zip(edges, sides, strict=True))
    return str(one["class_name"]), _sure(one), (left, top, right, bottom)


def _four(box: Sequence[Any]) -> tuple[float, float, float, float]:
    one, two, three, four = (float(edge) for edge in box)
    return one, two, three, four


def _sure(one: Mapping[str, Any]) -> float:
    """How sure a model says it is, held within 0 and 1; 1 where it does not say."""
    return min(max(float(one.get("confidence", 1.0)), 0.0), 1.0)


def _id_of(name: str, classes: Sequence[str] | None) -> int:
    return list(classes).index(name) if classes and name in classes else UNKNOWN


class VLMAsClassifier(Block):
    """Text of a language model to a classification."""

    TYPES = ("roboflow_core/vlm_as_classifier@v2",)
    OUTPUTS = {
        "error_status": (k.BOOLEAN,),
        "predictions": (k.CLASSIFICATION,),
        "inference_id": (k.INFERENCE_ID,),
    }

    image: Image
    vlm_output: Written
    classes: Annotated[list[str], takes(k.LIST)]

    def run(self) -> Outputs:
        inference_id = new_id()
        try:
            told = self._told(parsed(self.vlm_output))
        except (KeyError, TypeError, ValueError):
            return {"error_status": True, "predictions": None, "inference_id": inference_id}
        root = self.image.lineage.root
        predictions = {
            "image": {"width": self.image.width, "height": self.image.height},
            **told,
            "inference_id": inference_id,
            "parent_id": self.image.name,
            "root_parent_id": root.name if root else self.image.name,
        }
        return {"error_status": False, "predictions": predictions, "inference_id": inference_id}

    def _told(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, Mapping):
            raise TypeError("no object was written")
        if "predicted_classes" in answer:
            return self._several(answer["predicted_classes"])
        name, confidence = str(answer["class_name"]), _sure(answer)
        scores = {**dict.fromkeys(self.classes, 0.0), name: confidence}
        ranked = sorted(scores, key=lambda each: _id_of(each, self.classes))
        return {
            "predictions": [
                {"class": each, "class_id": self._id(each), "confidence": scores[each]}
                for each in ranked
            ],
            "top": name,
            "confidence": confidence,
        }

    def _several(self, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        scores = {str(one["class"]): _sure(one) for one in found}
        all_scores = {**dict.fromkeys(self.classes, 0.0), **scores}
        return {
            "predictions": {
                name: {"confidence": score, "class_id": self._id(name)}
                for name, score in all_scores.items()
            },
            "predicted_classes": list(scores),
        }

    def _id(self, name: str) -> int:
        return _id_of(name, self.classes)
