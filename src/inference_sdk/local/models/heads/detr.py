"""DETR and its kin: RF-DETR, with and without masks, and what transformers exports.

Two outputs, a row for each query: the box, in shares of the input as centre and size, and a number
for each class. The kin scores each class for itself; the eldest spread one certainty over all
classes and "nothing", which stands last.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import masks
from inference_sdk.local.models.classes import COCO_CLASSES, COCO_IDS
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.found import Found, Names
from inference_sdk.local.models.heads.base import FindingHead
from inference_sdk.local.models.heads.yolo import DETECTION, SEGMENTATION, corners_of
from inference_sdk.local.models.preparation import IMAGENET, UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.heads.base import Outputs

SPREADING = ("detr", "yolos", "table-transformer")
"""Model types of transformers that spread one certainty over all classes."""

MOST = 300
"""Pairs of query and class that are considered."""


def recognise(facts: Facts) -> FindingHead | None:
    """A head for the file, None when it is none of the family."""
    boxes, scores, shapes_of_masks = _places(facts)
    if boxes is None or scores is None or facts.task not in (None, DETECTION, SEGMENTATION):
        return None
    classes = facts.shapes[scores][2]
    spread = _is_spread(facts, classes)
    return FindingHead(
        kind=_kind(facts, spread, shapes_of_masks is not None),
        task_type=DETECTION if shapes_of_masks is None else SEGMENTATION,
        preparation=facts.preparation("stretch", facts.values_beside() or _values(facts, classes)),
        names=Names(_labels(facts, classes - 1 if spread else classes)),
        read=partial(_read, (boxes, scores, shapes_of_masks), spread, facts.size),
    )


def _places(facts: Facts) -> tuple[int | None, int | None, int | None]:
    """Which outputs are boxes, scores and masks."""
    rows = [place for place, shape in enumerate(facts.shapes) if len(shape) == 3]
    boxes = next((place for place in rows if _says(facts, place, "box", "dets")), None)
    if boxes is None:
        boxes = next((place for place in rows if facts.shapes[place][2] == 4), None)
    if boxes is None or len(rows) < 2 or facts.shapes[boxes][2] != 4:
        return None, None, None
    queries = facts.shapes[boxes][1]
    others = [place for place in rows if place != boxes and facts.shapes[place][1] == queries]
    named = [place for place in others if _says(facts, place, "logits", "labels", "scores")]
    pictures = [place for place, shape in enumerate(facts.shapes) if len(shape) == 4]
    matching = [place for place in pictures if facts.shapes[place][1] == queries]
    return boxes, next(iter(named or others), None), next(iter(matching), None)


def _says(facts: Facts, place: int, *words: str) -> bool:
    return any(word in facts.network.outputs[place].lower() for word in words)


def _is_spread(facts: Facts, classes: int) -> bool:
    if _says_rf(facts):
        return False
    model_type = facts.beside("config.json").get("model_type")
    if model_type is not None:
        return model_type in SPREADING
    named = facts.named
    return classes == (len(named) if named is not None else len(COCO_IDS)) + 1


def _says_rf(facts: Facts) -> bool:
    return "dets" in facts.network.outputs


def _values(facts: Facts, classes: int) -> Any:
    # Without a word of its own, one that knows COCO's 80 classes is RT-DETR, which takes 0..1.
    rt_detr = not _says_rf(facts) and classes == len(COCO_CLASSES)
    return UNIT if rt_detr else IMAGENET


def _kind(facts: Facts, spread: bool, has_masks: bool) -> str:
    name = "RF-DETR" if _says_rf(facts) else str(facts.beside("config.json").get("model_type", ""))
    task = SEGMENTATION if has_masks else DETECTION
    return f"{name or ('DETR' if spread else 'a kind of DETR')}, {task}"


def _labels(facts: Facts, classes: int) -> tuple[str, ...]:
    """Names for all columns: RF-DETR has one more than it has classes, which nothing comes from."""
    named = facts.named
    if named is not None and len(named) == classes - 1:
        return (*named, "unused")
    if named is not None and len(named) == len(COCO_CLASSES) and classes == len(COCO_IDS):
        return COCO_IDS
    return facts.labels(classes)


def _read(
    places: tuple[int, int, int | None],
    spread: bool,
    size: tuple[int, int],
    outputs: Outputs,
    least: float,
) -> Found:
    boxes, scores, pictures = places
    shares = _softmax(outputs[scores])[:, :-1] if spread else masks.sigmoid(outputs[scores])
    queries, class_ids = np.nonzero(shares >= least)
    certainty = shares[queries, class_ids]
    best = np.argsort(-certainty, kind="stable")[:MOST]
    queries, class_ids, certainty = queries[best], class_ids[best], certainty[best]
    height, width = size
    scale = np.array([width, height, width, height], np.float32)
    found = corners_of(outputs[boxes][queries].astype(np.float32) * scale)
    cut_out = None
    if pictures is not None:
        cut_out = masks.from_logits(outputs[pictures][queries], (width, height))
    return Found(found, certainty, class_ids, masks=cut_out, final=True)


def _softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    raised = np.exp(logits.astype(np.float32) - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)
