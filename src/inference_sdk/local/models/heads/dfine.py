"""D-FINE, DEIM and RT-DETR as their own projects export them: labels, boxes, scores, done.

They take the size of the picture as a second input, and give boxes in its pixels: here that of
the input, so that they are placed like all others.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.found import Found, Names
from inference_sdk.local.models.heads.base import FindingHead
from inference_sdk.local.models.heads.yolo import DETECTION
from inference_sdk.local.models.preparation import UNIT

if TYPE_CHECKING:
    from inference_sdk.local.models.heads.base import Outputs

OUTPUTS = ("labels", "boxes", "scores")


def recognise(facts: Facts) -> FindingHead | None:
    """A head for the file, None when it is none of these."""
    places = {name: place for place, name in enumerate(facts.network.outputs)}
    if not set(OUTPUTS) <= set(places) or len(facts.shapes[places["labels"]]) != 2:
        return None
    return FindingHead(
        kind=f"D-FINE, {DETECTION}",
        task_type=DETECTION,
        preparation=facts.preparation("stretch", UNIT),
        names=Names(facts.labels(None)),
        read=partial(_read, tuple(places[name] for name in OUTPUTS)),
    )


def _read(places: tuple[int, ...], outputs: Outputs, least: float) -> Found:
    labels, boxes, scores = (outputs[place] for place in places)
    kept = np.flatnonzero(scores >= least)
    return Found(
        boxes[kept].astype(np.float32),
        scores[kept].astype(np.float32),
        labels[kept].astype(np.intp),
        final=True,
    )
