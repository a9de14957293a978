"""Boxes on which enough sources agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Optional, Union

import numpy as np
from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Fraction, Outputs, refers, takes
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import new_id

Votes = Annotated[int, Field(gt=0)]
Aggregation = Literal["average", "max", "min"]
REDUCED: Mapping[str, Callable[[Any], Any]] = {"average": np.mean, "max": np.max, "min": np.min}


class DetectionsConsensus(Block):
    """Boxes that enough sources found, merged; and whether what is required is there."""

    TYPES = ("roboflow_core/detections_consensus@v1", "DetectionsConsensus")
    OUTPUTS = {
        "predictions": k.BOXES,
        "object_present": (k.BOOLEAN, k.DICTIONARY),
        "presence_confidence": (k.FRACTION, k.DICTIONARY),
    }

    predictions_batches: Annotated[list[Annotated[Any, refers(*k.ALL_BOXES)]], Field(min_length=1)]
    required_votes: Annotated[Votes, takes(k.INTEGER)]
    class_aware: Flag = True
    iou_threshold: Fraction = 0.3
    confidence: Fraction = 0.0
    classes_to_consider: Annotated[Optional[list[str]], takes(k.LIST)] = None
    required_objects: Annotated[
        Optional[Union[Votes, dict[str, Votes]]], takes(k.DICTIONARY, k.INTEGER)
    ] = None
    presence_confidence_aggregation: Aggregation = "max"
    detections_merge_confidence_aggregation: Aggregation = "average"
    detections_merge_coordinates_aggregation: Aggregation = "average"
    detections_merge_mask_aggregation: Literal["intersection", "union", "max", "min"] = "union"

    def run(self) -> Outputs:
        sources = [self._considered(found) for found in self.predictions_batches]
        merged = [self._merged(group) for group in self._groups(sources)]
        kept = [one for one in merged if one.confidence[0] >= self.confidence]
        agreed = Detections.joined(kept) if kept else sources[0].keep([])
        return {"predictions": agreed, **self._presence(agreed)}

    def _considered(self, found: Detections) -> Detections:
        if not self.classes_to_consider:
            return found
        return found.keep(np.isin(found.class_name.astype(str), self.classes_to_consider))

    def _groups(self, sources: Sequence[Detections]) -> Iterator[Detections]:
        """Detections of one thing each, at most one of each source."""
        used: set[tuple[int, int]] = set()
        for number, source in enumerate(sources):
            for row in range(len(source)):
                if (number, row) in used:
                    continue
                members = [(number, row), *self._matches(sources, number, row, used)]
                if len(members) >= self.required_votes:
                    used.update(members)
                    yield Detections.joined(sources[n].row(r) for n, r in members)

    def _matches(
        self, sources: Sequence[Detections], number: int, row: int, used: set[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """Of each other source, the detection that overlaps most, where one does enough."""
        one = sources[number]
        for other, source in enumerate(sources):
            if other == number or not len(source):
                continue
            overlaps = _overlaps(one.xyxy[row], source.xyxy)
            if self.class_aware:
                overlaps = np.where(source.class_name == one.class_name[row], overlaps, 0.0)
            for taken in (r for n, r in used if n == other):
                overlaps[taken] = 0.0
            best = int(overlaps.argmax())
            if overlaps[best] > self.iou_threshold:
                yield other, best

    def _merged(self, group: Detections) -> Detections:
        classes = Counter(zip(group.class_name.tolist(), group.class_id.tolist(), strict=True))
        (name, class_id), _ = classes.most_common(1)[0]
        confidence = REDUCED[self.detections_merge_confidence_aggregation](group.confidence)
        one = group.row(0).with_boxes([self._box(group)]).with_classes([name], [class_id])
        one = one.with_columns(confidence=[float(confidence)], detection_id=[new_id()])
        if "mask" not in group.columns:
            return one
        return one.with_columns(mask=[self._mask(group)])

    def _box(self, group: Detections) -> Any:
        if self.detections_merge_coordinates_aggregation == "average":
            return group.xyxy.mean(0)
        largest = self.detections_merge_coordinates_aggregation == "max"
        return group.xyxy[int(np.argmax(group.areas) if largest else np.argmin(group.areas))]

    def _mask(self, group: Detections) -> Any:
        masks = np.stack(list(group.columns["mask"]))
        how = self.detections_merge_mask_aggregation
        if how in ("union", "intersection"):
            return masks.any(0) if how == "union" else masks.all(0)
        sizes = masks.sum((1, 2))
        return masks[int(np.argmax(sizes) if how == "max" else np.argmin(sizes))]

    def _presence(self, agreed: Detections) -> dict[str, Any]:
        counts = Counter(agreed.class_name.tolist())
        reduce = REDUCED[self.presence_confidence_aggregation]
        sure = {
            name: float(reduce(agreed.confidence[agreed.class_name == name])) for name in counts
        }
        wanted = self.required_objects
        if isinstance(wanted, dict):
            present = all(counts[name] >= count for name, count in wanted.items())
        else:
            present = len(agreed) >= (wanted or 1)
        return {"object_present": present, "presence_confidence": sure if present else {}}


def _overlaps(box: Any, boxes: Any) -> Any:
    """Intersection over union of a box with each of several."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + areas - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)
