"""What a network is fed with: the batch of pictures, and what else some of them ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.faults import UnusableModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.facts import Facts
    from inference_sdk.local.models.network import Tensor


class Feeds:
    """The inputs of one network.

    Raises:
        UnusableModelError: it wants something that no picture tells.
    """

    def __init__(self, facts: Facts) -> None:
        self._picture = facts.picture
        self._height, self._width = facts.size
        self._others = [taken for taken in facts.network.inputs if taken is not self._picture]
        for taken in self._others:
            if not (_is_size(taken) or _is_mask(taken)):
                raise UnusableModelError(
                    f"{facts.name} has an input '{taken.name}', and a picture does not tell what "
                    "goes in there. Export it with the picture alone."
                )

    @property
    def batch(self) -> int | None:
        """Pictures of one run; None when there may be any number."""
        return self._picture.shape[0]

    def of(self, batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """All inputs for pictures (N, …); where the network wants more than N, noughts follow."""
        if self.batch is not None and len(batch) < self.batch:
            missing = np.zeros((self.batch - len(batch), *batch.shape[1:]), batch.dtype)
            batch = np.concatenate([batch, missing])
        others = {taken.name: self._other(taken, len(batch)) for taken in self._others}
        return {self._picture.name: batch, **others}

    def _other(self, taken: Tensor, count: int) -> NDArray[Any]:
        if _is_size(taken):
            return np.tile(np.array([[self._width, self._height]], taken.dtype), (count, 1))
        return np.ones((count, self._height, self._width), taken.dtype)


def _is_size(taken: Tensor) -> bool:
    """Width and height of the picture, which D-FINE's boxes are scaled by."""
    return "size" in taken.name and len(taken.shape) == 2


def _is_mask(taken: Tensor) -> bool:
    """Which pixels are picture and which are frame: with DETR, all are picture."""
    return "mask" in taken.name and len(taken.shape) == 3
