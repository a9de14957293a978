"""A user's ONNX file as a model of the server: opened, understood, tried once, described."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models.batching import Batcher, pays
from inference_sdk.local.models.facts import Facts
from inference_sdk.local.models.feeds import Feeds
from inference_sdk.local.models.heads import recognise
from inference_sdk.local.models.model_file import ModelFile
from inference_sdk.local.models.network import Network
from inference_sdk.local.models.preparation import UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters


class OwnModel:
    """A model made of a file.

    Args:
        model_id: the id it answers to.
        file: where it is, and what it does not say of itself.
        provider: short name of ONNX Runtime's execution provider; None for the CPU.

    Raises:
        UnusableModelError: the file is missing, broken or of no known kind, or something has to be
            told: the option that tells it is named.
    """

    def __init__(self, model_id: str, file: ModelFile, provider: str | None = None) -> None:
        self._file = Path(file.path)
        self._network = Network(self._file, provider)
        facts = Facts(file, self._network)
        self._feeds = Feeds(facts)
        example = self._try_once(facts)
        shapes = tuple(output.shape for output in example)
        self._head = recognise(Facts(file, self._network, shapes, tuple(example)))
        self._prepare = self._head.preparation
        self.description = {
            "model_id": model_id,
            "task_type": self._head.task_type,
            "batch_size": self._feeds.batch or "N",
            "input_height": self._prepare.height,
            "input_width": self._prepare.width,
            "class_names": list(self._head.names.classes),
            "answered_by": f"{self._file.name}: {self._head.kind}",
        }

    def __str__(self) -> str:
        """What was understood of the file, on one line."""
        names = self._head.names.classes
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        batch = f"batch {self._feeds.batch}" if self._feeds.batch else "any batch"
        if isinstance(self._outputs_of, Batcher):
            batch += ", run together"
        return (
            f"{self._file.name}: {self._head.kind}; {len(names)} "
            f"{'class' if len(names) == 1 else 'classes'} ({shown}); "
            f"{self._prepare}; {batch}; {self._network.provider}"
        )

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        tensor, placement = self._prepare(image)
        outputs = self._outputs_of(tensor)
        return self._head.answer(outputs, placement, parameters)

    def _run(self, batch: NDArray[Any]) -> list[NDArray[Any]]:
        return self._network.run(self._feeds.of(batch))

    def _run_alone(self, tensor: NDArray[Any]) -> list[NDArray[Any]]:
        return [output[0] for output in self._run(tensor[None])]

    def _runner(self, tensor: NDArray[Any]) -> Callable[[NDArray[Any]], list[NDArray[Any]]]:
        """How pictures are run: together where that pays, else each for itself."""
        if self._feeds.batch is None:
            return Batcher(self._run) if pays(self._run, tensor) else self._run_alone
        # A network that always takes several costs the same for one.
        return Batcher(self._run, self._feeds.batch) if self._feeds.batch > 1 else self._run_alone

    def _try_once(self, facts: Facts) -> list[NDArray[Any]]:
        """The outputs for noise: a file that cannot run is found out before it is asked."""
        noise = np.random.default_rng(0).integers(0, 255, (*facts.size, 3), dtype=np.uint8)
        tensor, _ = facts.preparation("stretch", UNIT)(noise)
        outputs = self._run(tensor[None])
        if not outputs or not all(isinstance(output, np.ndarray) for output in outputs):
            raise UnusableModelError(f"{facts.name} puts out what is no array of numbers.")
        self._outputs_of = self._runner(tensor)
        return outputs
