"""Models that answer what they were told to: for test suites of programs that ask a server.

Everything around the answer is real: sockets, parameters that are checked, errors, headers.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from inference_sdk.local.faults import RequestFault
from inference_sdk.local.models.catalogue import packaged_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters

Answer = Union[
    Mapping[str, Any],
    int,
    Sequence[Union[Mapping[str, Any], int]],
    Callable[..., Mapping[str, Any]],
]
"""An answer; a status of 400 to 599 to fail with; several of these, one after the other, of which the
last stays; or a function that makes the answer about a picture (uint8, (H, W, 3), BGR)."""

OBJECTS, POSES, MASKS = "object-detection", "keypoint-detection", "instance-segmentation"


class FixedModel:
    """A model of the server, with answers that a test has written."""

    def __init__(self, model_id: str, answer: Answer) -> None:
        several = isinstance(answer, Sequence)
        self._answers: list[Any] = list(answer) if isinstance(answer, Sequence) else [answer]
        if several and not self._answers:
            raise ValueError(f"answers['{model_id}'] is an empty list: give one answer at least.")
        for one in self._answers:
            if not (callable(one) or isinstance(one, (Mapping, int))):
                raise TypeError(
                    f"answers['{model_id}'] has to be a dict, a status, a list of these or a "
                    f"function, not {type(one).__name__}."
                )
        self._counter = itertools.count()
        self._lock = threading.Lock()
        self.description = {
            "model_id": model_id,
            "task_type": _task_type(model_id, self._answers),
            "batch_size": 1,
            "answered_by": "a fixed answer",
        }

    def infer(self, image: NDArray[np.uint8], _: InferenceParameters) -> dict[str, Any]:
        with self._lock:
            place = next(self._counter)
        answer = self._answers[min(place, len(self._answers) - 1)]
        if callable(answer):
            answer = answer(image)
        if isinstance(answer, int):
            raise FixedFault(answer)
        size = {"width": image.shape[1], "height": image.shape[0]}
        return {"image": size, **answer}


class FixedFault(RequestFault):
    """A failure that a test asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(f"This answer was asked for: status {status}.")
        self.status = status


def _task_type(model_id: str, answers: list[Any]) -> str:
    """What a model of such an id is, else what gives answers of such a form."""
    packaged = packaged_model(model_id)
    if packaged is not None:
        return packaged.task_type
    forms = (_form(answer) for answer in answers if isinstance(answer, Mapping))
    return next((form for form in forms if form is not None), OBJECTS)


def _form(answer: Mapping[str, Any]) -> str | None:
    predictions = answer.get("predictions")
    if isinstance(predictions, Mapping):
        semantic = "segmentation_mask" in predictions
        return "semantic-segmentation" if semantic else "classification"
    if "top" in answer:
        return "classification"
    if not isinstance(predictions, Sequence) or not predictions:
        return None
    if "keypoints" in predictions[0]:
        return POSES
    return MASKS if {"points", "rle", "rle_mask"} & set(predictions[0]) else OBJECTS
