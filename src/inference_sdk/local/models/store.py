"""Which model answers to which id: the packaged ones, and those a user registers.

Loading is what the API calls it: a model is made when it is first added or asked for, stays,
and is listed; removing it frees it. Safe to use from several threads.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.local.faults import UnknownModelError

if TYPE_CHECKING:
    from inference_sdk.local.models.base import Model, ModelFactory

_PACKAGED = {
    r"coco/\d+": "Detector",
    r"coco-pose-detection/\d+": "PoseModel",
    r"coco-dataset-vdnr1/\d+": "PersonSegmenter",
}
"""Ids (after aliases are resolved) and the class in `packaged` that answers to them."""


class ModelStore:
    """The models of one server.

    Example:
        >>> store = ModelStore()
        >>> store.get("yolov8n-640").description["task_type"]
        'object-detection'
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._factories: dict[str, ModelFactory] = {}
        self._loaded: dict[str, Model] = {}
        self._load_times: dict[str, float] = {}

    def register(self, model_id: str, factory: ModelFactory) -> None:
        """Let `factory(model_id)` make the model of this id; replaces what was there."""
        model_id = resolve_roboflow_model_alias(model_id)
        with self._lock:
            self._factories[model_id] = factory
            self._loaded.pop(model_id, None)

    def get(self, model_id: str) -> Model:
        """The model of an id or alias, loaded first if need be.

        Raises:
            UnknownModelError: nothing answers to the id; says what would.
        """
        model_id = resolve_roboflow_model_alias(model_id)
        with self._lock:
            if model_id not in self._loaded:
                started = time.perf_counter()
                self._loaded[model_id] = self._factory(model_id)(model_id)
                self._load_times[model_id] = time.perf_counter() - started
            return self._loaded[model_id]

    add = get
    """Load a model, so that it is listed."""

    def knows(self, model_id: str) -> bool:
        """Whether `get` would find something, loaded or not."""
        try:
            self._factory(resolve_roboflow_model_alias(model_id))
        except UnknownModelError:
            return False
        return True

    def is_loaded(self, model_id: str) -> bool:
        with self._lock:
            return resolve_roboflow_model_alias(model_id) in self._loaded

    def load_time(self, model_id: str) -> float:
        """Seconds that loading took, 0.0 when it is not loaded."""
        with self._lock:
            return self._load_times.get(resolve_roboflow_model_alias(model_id), 0.0)

    def remove(self, model_id: str) -> None:
        """Unload a model; one that is not loaded is left as it is."""
        model_id = resolve_roboflow_model_alias(model_id)
        with self._lock:
            self._loaded.pop(model_id, None)
            self._load_times.pop(model_id, None)

    def clear(self) -> None:
        """Unload all models. What was registered stays registered."""
        with self._lock:
            self._loaded.clear()
            self._load_times.clear()

    def registered(self) -> list[Mapping[str, Any]]:
        """Descriptions of the loaded models, in the order they were loaded."""
        with self._lock:
            return [model.description for model in self._loaded.values()]

    def _factory(self, model_id: str) -> ModelFactory:
        with self._lock:
            factory = self._factories.get(model_id)
        return factory if factory is not None else self._packaged_factory(model_id)

    def _packaged_factory(self, model_id: str) -> ModelFactory:
        for pattern, name in _PACKAGED.items():
            if re.fullmatch(pattern, model_id):
                from inference_sdk.local.models import packaged

                factory: ModelFactory = getattr(packaged, name)
                return factory
        raise UnknownModelError(
            f"No model answers to '{model_id}' here. There are coco/3 (object detection), "
            "coco-pose-detection/1 (keypoints) and coco-dataset-vdnr1/2 (masks of persons), "
            f"other versions and aliases of them{self._names_of_registered()}. "
            "Others can be added with ModelStore.register(model_id, factory)."
        )

    def _names_of_registered(self) -> str:
        with self._lock:
            names = ", ".join(self._factories)
        return f", and {names}" if names else ""
