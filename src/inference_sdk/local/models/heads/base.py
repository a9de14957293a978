"""What a head is: how to prepare pictures for a network, and how to read what it puts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from inference_sdk.local.models.found import Found, Names, answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters
    from inference_sdk.local.models.preparation import Placement, Preparation

    Outputs = Sequence[NDArray[Any]]


class Head(Protocol):
    """One kind of network."""

    @property
    def kind(self) -> str:
        """What people call it, as in "YOLOv8 segmentation"."""
        ...

    @property
    def task_type(self) -> str:
        """As in descriptions of models."""
        ...

    @property
    def preparation(self) -> Preparation: ...

    @property
    def names(self) -> Names: ...

    def answer(
        self, outputs: Outputs, placement: Placement, parameters: InferenceParameters
    ) -> dict[str, Any]:
        """The answer of the API about one picture, from outputs without their batch axis."""
        ...


@dataclass(frozen=True)
class FindingHead:
    """A head of networks that find objects: all that differs is how they are read."""

    kind: str
    task_type: str
    preparation: Preparation
    names: Names
    read: Callable[[Outputs, float], Found]
    """From outputs of one picture, and the least confidence that is of interest."""

    def answer(
        self, outputs: Outputs, placement: Placement, parameters: InferenceParameters
    ) -> dict[str, Any]:
        found = self.read(outputs, parameters.confidence)
        return answer(found, placement, self.names, parameters)
