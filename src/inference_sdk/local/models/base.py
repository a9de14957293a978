"""What a model is to the server: a description and one method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters

    Image = NDArray[np.uint8]


class Model(Protocol):
    """One model, ready to answer; `infer` may be called from several threads at once.

    Example:
        >>> class Mean:
        ...     description = {"model_id": "mean/1", "task_type": "classification"}
        ...     def infer(self, image, parameters):
        ...         return {"top": "dark" if image.mean() < 128 else "light"}
        >>> store.register("mean/1", lambda model_id: Mean())
    """

    @property
    def description(self) -> Mapping[str, Any]:
        """As the registry shows it: model_id, task_type, and what else is known.

        That is batch_size, input_height, input_width (clients may scale images down to those),
        and `answered_by`, the network that really answers.
        """
        ...

    def infer(self, image: Image, parameters: InferenceParameters) -> dict[str, Any]:
        """The answer of the API for one image, without inference_id, frame_id and time.

        Args:
            image: uint8 of shape (H, W, 3), BGR. Not to be written to.
            parameters: what the request asked for.

        Returns:
            A dict in the form of the task, such as `InferenceResult`; coordinates in pixels.
        """
        ...


ModelFactory = Callable[[str], Model]
"""Makes the model that answers to an id; called once for each id, when it is first needed."""
