"""Networks that say what a whole picture shows: a number for each class.

Whether those are shares already is told by what comes of a picture of noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import classification
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.found import Names
from inference_sdk.local.models.masks import sigmoid
from inference_sdk.local.models.preparation import IMAGENET, UNIT, Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.heads.base import Outputs
    from inference_sdk.local.models.parameters import InferenceParameters
    from inference_sdk.local.models.preparation import Placement

SINGLE, MULTI = "classification", "multi-label-classification"


@dataclass(frozen=True)
class Classifier:
    """A head; see `base.Head`."""

    kind: str
    preparation: Preparation
    names: Names
    final: bool
    """The network gives shares, not logits."""
    multi: bool
    """Any number of classes may be there; clients know both kinds as one task."""
    task_type: str = SINGLE

    def answer(
        self, outputs: Outputs, placement: Placement, parameters: InferenceParameters
    ) -> dict[str, Any]:
        numbers = outputs[0].reshape(-1).astype(np.float32)
        size = (placement.width, placement.height)
        if self.multi:
            shares = numbers if self.final else sigmoid(numbers)
            return classification.multi_label(shares, self.names.classes, size, parameters)
        shares = numbers if self.final else _softmax(numbers)
        return classification.single_label(shares, self.names.classes, size, parameters)


def recognise(facts: Facts) -> Classifier | None:
    """A head for the file, None when it does not classify."""
    shape = facts.shapes[0]
    flat = len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1))
    if facts.task not in (None, SINGLE, MULTI) or not flat or shape[1] < 2:
        return None
    task = facts.task or SINGLE
    return Classifier(
        kind=f"{'YOLO' if _is_yolo(facts) else 'a network'}, {task}",
        preparation=_preparation(facts),
        names=Names(facts.labels(shape[1])),
        final=_gives_shares(facts.example[0].reshape(-1), task),
        multi=task == MULTI,
    )


def _is_yolo(facts: Facts) -> bool:
    return facts.metadata_value("names") is not None and "stride" in facts.metadata


def _preparation(facts: Facts) -> Preparation:
    if _is_yolo(facts):
        # The fifth was trained on ImageNet's mean, later ones on 0..1.
        return facts.preparation("crop", UNIT if facts.from_ultralytics else IMAGENET)
    told = facts.beside("preprocessor_config.json")
    if told:
        cropped = told.get("do_center_crop", "crop_size" in told)
        side = told.get("size")
        shorter = side.get("shortest_edge", 0) if isinstance(side, dict) else side
        return facts.preparation(
            "crop" if cropped else "stretch",
            facts.values_beside() or IMAGENET,
            shorter if isinstance(shorter, int) else 0,
        )
    # As nearly all are trained: 256 for the shorter side, 224 of it cut out.
    return facts.preparation("crop", IMAGENET, round(min(facts.size) * 256 / 224))


def _gives_shares(example: NDArray[Any], task: str) -> bool:
    within = bool((example >= 0).all() and (example <= 1).all())
    return within and (task == MULTI or abs(float(example.sum()) - 1) < 0.01)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - np.max(logits))
    return np.asarray(raised / raised.sum(), dtype=np.float32)
