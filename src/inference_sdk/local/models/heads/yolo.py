"""YOLO of all ages: v5, v8, 11, 12 and 26, with and without built-in suppression, in four tasks.

Each row tells of one object: a box, scores of classes, and what the task adds. Where in a row
things stand differs by age, and is told by the number of columns:

- plain (v8 and later), column by column: x, y, width, height, a score for each class, more
- objectness (v5), row by row: x, y, width, height, objectness, a score for each class, more
- ended (26, v10, any with built-in suppression): left, top, right, bottom, score, class, more

"More" is: coefficients of the mask, keypoints, or the angle. (RT-DETR from the same exporter has
the rows of a plain one, in shares of the input, and is final.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models import masks, rotated
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.found import Found, Names
from inference_sdk.local.models.heads.base import FindingHead
from inference_sdk.local.models.preparation import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.heads.base import Outputs

DETECTION, SEGMENTATION, POSE, OBB = (
    "object-detection", "instance-segmentation", "keypoint-detection", "obb"
)  # fmt: skip

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
"""Of the grids that a network looks at; the first is the usual one."""

MOST_FINAL_ROWS = 1000
"""Rows of an ended network; others have thousands."""


@dataclass(frozen=True)
class Rows:
    """Where in a row things stand."""

    form: str
    """ "plain", "objectness", "ended" or "shares"."""
    task: str
    classes: int
    """Their number; 0 where rows name the class."""
    more: int
    """Columns after the scores."""
    size: tuple[int, int]
    """Width and height of the network's input."""
    point: int = 3
    """Numbers of a keypoint: with confidence 3, without 2."""


def recognise(facts: Facts) -> FindingHead | None:
    """A head for the file, None when it is no YOLO that finds things."""
    task = facts.task or (SEGMENTATION if _prototypes(facts) is not None else DETECTION)
    if task not in (DETECTION, SEGMENTATION, POSE, OBB) or len(facts.shapes[0]) != 3:
        return None
    rows = _rows(facts, task)
    if rows is None:
        return None
    keypoints = rows.more // rows.point if task == POSE else 0
    return FindingHead(
        kind=_kind(facts, rows),
        # An oriented box is answered as the upright box around it, with its corners.
        task_type=DETECTION if task == OBB else task,
        preparation=facts.preparation("stretch" if rows.form == "shares" else "letterbox", UNIT),
        names=Names(_labels(facts, rows), facts.keypoint_names(keypoints)),
        read=partial(_read, rows),
    )


def _labels(facts: Facts, rows: Rows) -> tuple[str, ...]:
    if rows.task == POSE and rows.classes == 1 and facts.named is None:
        return ("person",)
    return facts.labels(rows.classes or None)


def _prototypes(facts: Facts) -> int | None:
    """How many prototypes of masks there are."""
    if len(facts.shapes) == 2 and len(facts.shapes[1]) == 4:
        return facts.shapes[1][1]
    return None


def _rows(facts: Facts, task: str) -> Rows | None:
    """The layout that fits the shape of the output and the number of classes."""
    height, width = facts.size
    columns_first, columns_last = facts.shapes[0][1:]
    more, point = _more(facts, task)
    named = len(facts.named) if facts.named is not None else None
    layout = partial(Rows, task=task, more=more, size=(width, height), point=point)
    grids = _grids(height, width)
    if columns_last in grids and columns_first > 4:
        form, classes = "plain", columns_first - 4 - more
    elif columns_first in {count * 3 for count in grids}:
        form, classes = "objectness", columns_last - 5 - more
    elif "detr" in facts.metadata.get("description", "").lower():
        form, classes = "shares", columns_last - 4
    elif columns_last == 6 + more and columns_first <= MOST_FINAL_ROWS and not _is_v5(facts):
        return layout("ended", classes=0)
    elif named is not None and columns_first == 4 + named + more:
        form, classes = "plain", named
    elif named is not None and columns_last == 5 + named + more:
        form, classes = "objectness", named
    elif named is not None and columns_last == 4 + named:
        form, classes = "shares", named
    elif columns_first < columns_last and facts.from_ultralytics:
        form, classes = "plain", columns_first - 4 - more
    else:
        return None
    return layout(form, classes=classes) if classes > 0 else None


def _is_v5(facts: Facts) -> bool:
    """Its exporter writes the stride and the names; later ones the task as well."""
    return "stride" in facts.metadata and "task" not in facts.metadata


def _grids(height: int, width: int) -> set[int]:
    """How many places a network of this size may look at."""
    return {
        sum(-(-height // stride) * -(-width // stride) for stride in strides) for strides in STRIDES
    }


def _more(facts: Facts, task: str) -> tuple[int, int]:
    """Columns that the task adds to a row, and numbers of a keypoint."""
    if task == SEGMENTATION:
        prototypes = _prototypes(facts)
        if prototypes is None:
            raise UnusableModelError(
                f"{facts.name} is said to segment, and has no second output of four axes with the "
                "prototypes of its masks."
            )
        return prototypes, 3
    if task == POSE:
        shape = facts.metadata_value("kpt_shape")
        if isinstance(shape, (list, tuple)) and len(shape) == 2:
            return int(shape[0]) * int(shape[1]), int(shape[1])
        count = len(facts.said.keypoints) if facts.said.keypoints else 17
        return count * 3, 3
    return (1 if task == OBB else 0), 3


def _kind(facts: Facts, rows: Rows) -> str:
    name = {
        "plain": "YOLOv8",
        "objectness": "YOLOv5",
        "ended": "YOLO",
        "shares": "RT-DETR",
    }[rows.form]
    # "Ultralytics YOLO11n-seg model trained on …" knows better than a shape.
    words = facts.metadata.get("description", "").split()
    if len(words) > 1 and words[0] == "Ultralytics":
        name = words[1]
    ended = " with built-in suppression" if rows.form == "ended" else ""
    return f"{name}, {rows.task}{ended}"


def _read(rows: Rows, outputs: Outputs, least: float) -> Found:
    table = outputs[0].T if rows.form in ("objectness", "shares", "ended") else outputs[0]
    split = _split_ended if rows.form == "ended" else _split_scored
    kept, scores, class_ids = split(rows, table, least)
    numbers = table[:, kept].T.astype(np.float32)
    more = numbers[:, numbers.shape[1] - rows.more :]
    found = partial(
        Found, scores=scores, class_ids=class_ids, final=rows.form in ("ended", "shares")
    )
    if rows.task == OBB:
        oriented = np.concatenate([numbers[:, :4], more], axis=1)
        return found(rotated.bounds(oriented), oriented=oriented)
    boxes = _corners(rows, numbers[:, :4])
    if rows.task == SEGMENTATION:
        return found(boxes, masks=masks.from_prototypes(more, outputs[1], rows.size))
    if rows.task == POSE:
        return found(boxes, keypoints=_points(more.reshape(len(more), -1, rows.point)))
    return found(boxes)


def _split_scored(rows: Rows, table: NDArray[Any], least: float) -> tuple[NDArray[Any], ...]:
    """Which columns of the table are of interest, their scores, their classes."""
    first = 5 if rows.form == "objectness" else 4
    scores = table[first : first + rows.classes]
    if rows.form == "objectness":
        scores = scores * table[4]
    # The highest of each is quick to find; which class it was is asked of the few that count.
    highest = scores.max(axis=0)
    kept = np.flatnonzero(highest >= least)
    class_ids = scores[:, kept].argmax(axis=0)
    return kept, highest[kept].astype(np.float32), class_ids


def _split_ended(_: Rows, table: NDArray[Any], least: float) -> tuple[NDArray[Any], ...]:
    scores = table[4].astype(np.float32)
    # Rows that nothing was found for are filled with noughts.
    kept = np.flatnonzero((scores >= least) & (scores > 0))
    return kept, scores[kept], table[5, kept].astype(np.intp)


def _corners(rows: Rows, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    if rows.form == "ended":
        return boxes
    if rows.form == "shares":
        boxes = boxes * np.array(rows.size * 2, np.float32)
    return corners_of(boxes)


def corners_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """From centre, width and height to left, top, right, bottom."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keypoints with a confidence: where the network gives none, it is sure of all."""
    if points.shape[2] == 3:
        return points
    return np.concatenate([points, np.ones_like(points[..., :1])], axis=2)
