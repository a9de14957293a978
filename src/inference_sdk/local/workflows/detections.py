"""Boxes found in a picture, with masks, keypoints and whatever steps add: a table of columns.

A row is a detection. Steps choose rows, and set or move columns; nothing is changed in place, so
that steps can share what they were given. Knows nothing of steps, of JSON (`wire`) or of drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import numpy.typing as npt

from inference_sdk.local.workflows.images import Lineage, WorkflowImage, new_id

if TYPE_CHECKING:
    import supervision

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

OBJECTS = "object-detection"
KEYPOINTS = "keypoint-detection"
MASKS = "instance-segmentation"


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found in one picture.

    Args:
        xyxy: left, top, right, bottom of each box in pixels of the picture; float64 of (N, 4).
        columns: arrays of N, by name. Always there: class (texts), class_id (int), confidence
            (float), detection_id and parent_id (texts). Where known: mask (each a bool array of
            (H, W)), keypoints (each a list of {class_id, class, confidence, x, y}), tracker_id,
            and what steps add. What is not a number is in an array of objects.
        size: width and height of the picture, where known.
        lineage: of the picture: where it was cut.
        prediction_type: "object-detection", "keypoint-detection" or "instance-segmentation".
        from_model: whether a model of this run found them; they may also come from the caller.

    Example:
        >>> sure = detections.keep(detections.confidence > 0.5)
        >>> timed = sure.with_columns(time_in_zone=[1.5] * len(sure))
    """

    xyxy: Floats
    columns: Mapping[str, Array]
    size: Optional[tuple[int, int]] = None
    lineage: Lineage = field(default_factory=lambda: Lineage("image"))
    prediction_type: str = OBJECTS
    from_model: bool = False

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def of(
        cls,
        xyxy: Any,
        *,
        classes: Sequence[str],
        class_ids: Optional[Sequence[int]] = None,
        confidences: Optional[Sequence[float]] = None,
        image: Optional[WorkflowImage] = None,
        prediction_type: str = OBJECTS,
        **more: Any,
    ) -> Detections:
        """New detections in a picture, with ids of their own.

        Args:
            xyxy: anything of shape (N, 4).
            classes: a name for each.
            class_ids: 0 for each, if not given.
            confidences: 1.0 for each, if not given.
            image: the picture they were found in: the parent of each.
            prediction_type: as of the class.
            more: further columns.
        """
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        count = len(boxes)
        lineage = Lineage("image") if image is None else image.lineage
        columns: dict[str, Any] = {
            "class": classes,
            "class_id": [0] * count if class_ids is None else class_ids,
            "confidence": [1.0] * count if confidences is None else confidences,
            "detection_id": [new_id() for _ in range(count)],
            "parent_id": [lineage.name] * count,
            **more,
        }
        made = {name: column(name, values) for name, values in columns.items()}
        size = None if image is None else image.size
        return cls(boxes, made, size, lineage, prediction_type)

    # --- Columns --------------------------------------------------------------------------------

    @property
    def confidence(self) -> Floats:
        return self.columns["confidence"]

    @property
    def class_id(self) -> Array:
        return self.columns["class_id"]

    @property
    def class_name(self) -> Array:
        return self.columns["class"]

    @property
    def detection_id(self) -> Array:
        return self.columns["detection_id"]

    @property
    def parent_id(self) -> Array:
        return self.columns["parent_id"]

    @property
    def tracker_id(self) -> Optional[Array]:
        """None where no tracker was at work."""
        return self.columns.get("tracker_id")

    @property
    def masks(self) -> Optional[npt.NDArray[np.bool_]]:
        """Bool of (N, H, W); None where there are none."""
        found = self.columns.get("mask")
        if found is None or not len(found):
            return None
        return np.stack(list(found))

    @property
    def centers(self) -> Floats:
        """(N, 2), x and y."""
        return (self.xyxy[:, :2] + self.xyxy[:, 2:]) / 2

    @property
    def areas(self) -> Floats:
        """(N,), of the boxes."""
        sides = self.xyxy[:, 2:] - self.xyxy[:, :2]
        return sides[:, 0] * sides[:, 1]

    def with_columns(self, **columns: Any) -> Detections:
        """The same with columns set; one that is given as None is taken out."""
        left = {name: values for name, values in self.columns.items() if name not in columns}
        new = {n: column(n, values) for n, values in columns.items() if values is not None}
        return replace(self, columns={**left, **new})

    def with_classes(self, names: Any, ids: Any) -> Detections:
        """The same with other classes."""
        return self.with_columns(**{"class": names, "class_id": ids})

    def with_boxes(self, xyxy: Any) -> Detections:
        """The same with other boxes, (N, 4)."""
        return replace(self, xyxy=np.asarray(xyxy, np.float64).reshape(-1, 4))

    def with_new_ids(self) -> Detections:
        """The same as children of what they were: new ids, `parent_id` is the old one."""
        fresh = [new_id() for _ in range(len(self))]
        return self.with_columns(detection_id=fresh, parent_id=self.detection_id)

    # --- Rows -----------------------------------------------------------------------------------

    def keep(self, chosen: Any) -> Detections:
        """Some of the rows, or all in another order.

        Args:
            chosen: a bool for each, or numbers of rows; as a list or an array.
        """
        rows = np.asarray(chosen)
        if rows.size == 0 and rows.dtype != bool:
            rows = rows.astype(int)
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, xyxy=self.xyxy[rows], columns=columns)

    def row(self, index: int) -> Detections:
        """One of them, as detections of one row."""
        return self.keep([index])

    def __iter__(self) -> Any:
        """Each as detections of one row."""
        return (self.row(index) for index in range(len(self)))

    @staticmethod
    def joined(parts: Iterable[Detections]) -> Detections:
        """All rows of several, of the first one's picture; columns that all have.

        Raises:
            ValueError: there are no parts.
        """
        all_parts = list(parts)
        if not all_parts:
            raise ValueError("There are no detections to join.")
        filled = [part for part in all_parts if len(part)] or all_parts[:1]
        names = [n for n in filled[0].columns if all(n in part.columns for part in filled)]
        columns = {n: np.concatenate([part.columns[n] for part in filled]) for n in names}
        return replace(
            filled[0], xyxy=np.concatenate([part.xyxy for part in filled]), columns=columns
        )

    # --- Place ----------------------------------------------------------------------------------

    def moved(
        self,
        dx: float,
        dy: float,
        size: Optional[tuple[int, int]] = None,
        lineage: Optional[Lineage] = None,
    ) -> Detections:
        """The same with all coordinates moved, in a picture of another size and lineage."""
        size = self.size if size is None else size
        columns = {
            name: _moved(name, values, dx, dy, size) if name in PLACED else values
            for name, values in self.columns.items()
        }
        return replace(
            self,
            xyxy=self.xyxy + np.array([dx, dy, dx, dy]),
            columns=columns,
            size=size,
            lineage=lineage or self.lineage,
        )

    def in_root(self) -> Detections:
        """The same in pixels of the first picture, whose children they then are."""
        root = self.lineage.root
        if root is None:
            return self
        moved = self.moved(root.x, root.y, (root.width, root.height), Lineage(root.name))
        return moved.with_columns(parent_id=[root.name] * len(self))

    def seen_in(self, image: WorkflowImage) -> Detections:
        """The same in pixels of `image`: the picture they were found in, or a crop on either side.

        Crops meet in the first picture; where that is not the same, nothing is moved.
        """
        if self.lineage.name == image.lineage.name:
            return self
        mine, other = self.lineage.root, image.lineage.root
        if (mine.name if mine else self.lineage.name) != (
            other.name if other else image.lineage.name
        ):
            return self
        here = self.in_root()
        return here if other is None else here.moved(-other.x, -other.y, image.size, image.lineage)

    # --- Elsewhere ------------------------------------------------------------------------------

    def to_supervision(self) -> supervision.Detections:
        """As `supervision.Detections`, for its annotators and trackers."""
        import supervision as sv

        tracker_id = self.tracker_id
        return sv.Detections(
            xyxy=self.xyxy.astype(np.float32),
            confidence=self.confidence.astype(np.float32),
            class_id=self.class_id.astype(int),
            mask=self.masks,
            tracker_id=None if tracker_id is None else tracker_id.astype(int),
            data={"class_name": self.class_name.astype(str), "row": np.arange(len(self))},
        )


PLACED = frozenset({"mask", "keypoints", "rect", "polygon"})
"""Columns with coordinates in them."""

NUMBERS: Mapping[str, type] = {"class_id": int, "confidence": float}


def column(name: str, values: Any) -> Array:
    """One array with an entry for each row; rows that are lists or arrays stay whole."""
    if name in NUMBERS:
        return np.asarray(values, NUMBERS[name])
    items = list(values)
    made = np.empty(len(items), object)
    for index, item in enumerate(items):
        made[index] = item.item() if isinstance(item, np.generic) else item
    return made


def _moved(
    name: str, values: Array, dx: float, dy: float, size: Optional[tuple[int, int]]
) -> Array:
    if name == "mask":
        return column(name, [moved_mask(mask, round(dx), round(dy), size) for mask in values])
    if name == "keypoints":
        return column(
            name,
            [[{**p, "x": p["x"] + dx, "y": p["y"] + dy} for p in points] for points in values],
        )
    return column(name, [[[x + dx, y + dy] for x, y in points] for points in values])


def moved_mask(
    mask: npt.NDArray[np.bool_], dx: int, dy: int, size: Optional[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """A mask in a picture of another size (width, height); what falls outside is lost."""
    height, width = mask.shape
    new_width, new_height = size or (width, height)
    made = np.zeros((new_height, new_width), bool)
    top, left = max(dy, 0), max(dx, 0)
    bottom, right = min(dy + height, new_height), min(dx + width, new_width)
    if top < bottom and left < right:
        made[top:bottom, left:right] = mask[top - dy : bottom - dy, left - dx : right - dx]
    return made


def whole(edges: Any) -> tuple[int, int, int, int]:
    """Edges in whole pixels, rounded as NumPy does."""
    left, top, right, bottom = (int(edge) for edge in np.round(edges))
    return left, top, right, bottom


Prediction = Union[Detections, Mapping[str, Any]]
"""What a model step gives out: detections, or the answer of a classifier."""
