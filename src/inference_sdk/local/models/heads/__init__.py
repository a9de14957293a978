"""The kinds of networks that can be served, one module each, and the table of them.

A module's `recognise` looks at what is known of a file and gives a head, or None when it is
another's. A new kind is a module here and its line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.heads import classifier, detr, dfine, semantic, yolo
from inference_sdk.local.models.heads.base import Head

__all__ = ["Head", "recognise"]

KINDS: tuple[Callable[[Facts], Head | None], ...] = (
    dfine.recognise,
    detr.recognise,
    yolo.recognise,
    classifier.recognise,
    semantic.recognise,
)
"""Asked in this order: the first have outputs that nobody else has."""


def recognise(facts: Facts) -> Head:
    """The head that reads what a network puts out.

    Raises:
        UnusableModelError: it is of no known kind, or something has to be told.
    """
    for kind in KINDS:
        head = kind(facts)
        if head is not None:
            return head
    outputs = zip(facts.network.outputs, facts.shapes, strict=True)
    shown = ", ".join(f"{name}{list(shape)}" for name, shape in outputs)
    task = f" for {facts.task}" if facts.task else ""
    raise UnusableModelError(
        f"{facts.name} puts out {shown}, which is no known kind of network{task}. If it is one of "
        "those in the documentation, say what it does with --task."
    )
