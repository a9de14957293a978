"""Which model answers to which id: the packaged ones, and those of a user.

Loading is what the API calls it: a model is made when it is first added or asked for, stays until
it is removed or others need its place, and is listed. Safe to use from several threads: one that
loads holds up only those who wait for that very model.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.local.faults import UnknownModelError
from inference_sdk.local.models.catalogue import packaged_model, packaged_models
from inference_sdk.local.models.folder import scan
from inference_sdk.local.models.model_file import ModelFile

MAX_ID = 256
"""Characters of a model's id: it comes back in headers and errors."""

if TYPE_CHECKING:
    from inference_sdk.local.models.base import Model, ModelFactory

    Source = Union[str, Path, ModelFile, Mapping[str, Any], ModelFactory]


@dataclass
class _Place:
    """Where the model of one id is, or will be."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    model: Model | None = None
    load_time: float = 0.0
    used: int = 0


class ModelStore:
    """The models of one server.

    Args:
        models: of the user's own, by id: the path of an ONNX file, a `ModelFile` that says more of
            one, or a function that makes a model of an id.
        folder: of ONNX files; those that come later are found, too.
        provider: of ONNX Runtime, for the user's files: "CUDA", "TensorRT", "CoreML", "OpenVINO";
            None for the CPU.
        strict: packaged models do not stand in for public ones such as `coco/3`.
        max_models: loaded at a time; the one that was not asked for the longest gives way.

    Example:
        >>> store = ModelStore({"helmets/1": "best.onnx"})
        >>> store.get("yolov8n-640").description["task_type"]
        'object-detection'
    """

    def __init__(
        self,
        models: Mapping[str, Source] | None = None,
        *,
        folder: str | Path | None = None,
        provider: str | None = None,
        strict: bool = False,
        max_models: int | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._factories: dict[str, ModelFactory] = {}
        self._files: list[str] = []
        self._places: dict[str, _Place] = {}
        self._clock = itertools.count(1)
        self._folder = None if folder is None else Path(folder)
        self._provider = provider
        self._strict = strict
        self._max_models = max_models
        for model_id, source in (models or {}).items():
            if callable(source):
                self.register(model_id, source)
            else:
                self.register_file(model_id, source)
        self._look_into_folder()

    def register(self, model_id: str, factory: ModelFactory) -> None:
        """Let `factory(model_id)` make the model of this id; replaces what was there.

        Args:
            model_id: that `infer` is to ask for.
            factory: is called with the id, when it is first asked for.
        """
        model_id = resolve_roboflow_model_alias(model_id)
        with self._lock:
            self._factories[model_id] = factory
            self._places.pop(model_id, None)

    def register_file(
        self, model_id: str, file: str | Path | ModelFile | Mapping[str, Any]
    ) -> None:
        """Let an ONNX file answer to this id. It is opened when it is first asked for.

        Args:
            model_id: that `infer` is to ask for.
            file: an ONNX file, and what is to be known of it.
        """
        if isinstance(file, Mapping):
            file = ModelFile(**file)
        known = file if isinstance(file, ModelFile) else ModelFile(file)
        self.register(model_id, self._opener(known))
        self._files.append(resolve_roboflow_model_alias(model_id))

    def _opener(self, file: ModelFile) -> ModelFactory:
        def open_file(model_id: str) -> Model:
            from inference_sdk.local.models.own import OwnModel

            return OwnModel(model_id, file, self._provider)

        return open_file

    def open_files(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Open every file now, so that a broken one is known before anyone asks.

        Args:
            tell: called with a line about each: its id, and what was understood of it.

        Raises:
            UnusableModelError: one cannot be used; says why.
        """
        for model_id in list(self._files):
            tell(f"{model_id:22} {self.get(model_id)}")

    def get(self, model_id: str) -> Model:
        """The model of an id or alias, loaded first if need be.

        Args:
            model_id: an id, or an alias of one.

        Returns:
            The model, ready to infer.

        Raises:
            UnknownModelError: nothing answers to the id; says what would.
            UnusableModelError: a file answers to it that cannot be used.
        """
        model_id = resolve_roboflow_model_alias(model_id)
        factory = self._factory(model_id)
        with self._lock:
            place = self._places.setdefault(model_id, _Place())
            place.used = next(self._clock)
        with place.lock:
            if place.model is None:
                started = time.perf_counter()
                try:
                    place.model = factory(model_id)
                except BaseException:
                    self.remove(model_id)
                    raise
                place.load_time = time.perf_counter() - started
                self._make_room(model_id)
            return place.model

    add = get
    """Load a model, so that it is listed."""

    def _make_room(self, loaded_id: str) -> None:
        with self._lock:
            loaded = {name: place for name, place in self._places.items() if place.model}
            by_use = sorted(loaded, key=lambda name: loaded[name].used)
            spare = 0 if self._max_models is None else len(loaded) - self._max_models
            for name in by_use[: max(spare, 0)]:
                if name != loaded_id:
                    del self._places[name]

    def knows(self, model_id: str) -> bool:
        """Whether `get` would find something, loaded or not.

        Args:
            model_id: an id, or an alias of one.

        Returns:
            True also for models that are not loaded yet.
        """
        try:
            self._factory(resolve_roboflow_model_alias(model_id))
        except UnknownModelError:
            return False
        return True

    def is_loaded(self, model_id: str) -> bool:
        """Whether a model is in memory now.

        Args:
            model_id: an id, or an alias of one.

        Returns:
            False also for one that is only registered.
        """
        return self._loaded(model_id) is not None

    def load_time(self, model_id: str) -> float:
        """Seconds that loading took, 0.0 when it is not loaded.

        Args:
            model_id: an id, or an alias of one.

        Returns:
            Seconds.
        """
        place = self._loaded(model_id)
        return place.load_time if place is not None else 0.0

    def _loaded(self, model_id: str) -> _Place | None:
        with self._lock:
            place = self._places.get(resolve_roboflow_model_alias(model_id))
        return place if place is not None and place.model is not None else None

    def remove(self, model_id: str) -> None:
        """Unload a model; one that is not loaded is left as it is.

        Args:
            model_id: an id, or an alias of one.
        """
        with self._lock:
            self._places.pop(resolve_roboflow_model_alias(model_id), None)

    def clear(self) -> None:
        """Unload all models. What was registered stays registered."""
        with self._lock:
            self._places.clear()

    def registered(self) -> list[Mapping[str, Any]]:
        """Descriptions of the loaded models, in the order they were asked for first.

        Returns:
            A description of each loaded model, as the list of models has it.
        """
        with self._lock:
            models = [place.model for place in self._places.values()]
        return [model.description for model in models if model is not None]

    def stand_ins(self) -> list[dict[str, str]]:
        """Which packaged models answer in the place of public ones: none when strict.

        Returns:
            A dict of texts for each: the public name, and what answers.
        """
        if self._strict:
            return []
        return [
            {"for": model.example, "answering_model_id": model.model_id, "title": model.title}
            for model in packaged_models()
            if model.stands_in
        ]

    def _factory(self, model_id: str) -> ModelFactory:
        factory = self._registered_factory(model_id)
        if factory is None and len(model_id) <= MAX_ID:
            model = packaged_model(model_id, strict=self._strict)
            if model is not None:
                return model.factory()
            self._look_into_folder()
            factory = self._registered_factory(model_id)
        if factory is None:
            raise UnknownModelError(self._unknown(model_id))
        return factory

    def _registered_factory(self, model_id: str) -> ModelFactory | None:
        with self._lock:
            return self._factories.get(model_id)

    def _look_into_folder(self) -> None:
        """Register what has come since the last time."""
        if self._folder is None:
            return
        for model_id, path in scan(self._folder).items():
            if self._registered_factory(resolve_roboflow_model_alias(model_id)) is None:
                self.register_file(model_id, path)

    def _unknown(self, model_id: str) -> str:
        if len(model_id) > MAX_ID:
            return f"Model ids have at most {MAX_ID} characters, and this one has {len(model_id)}."
        stand_in = packaged_model(model_id)
        if stand_in is not None:
            return (
                f"'{model_id}' is not here. This server is strict: {stand_in.model_id} "
                f"({stand_in.title}) answers under its own id only."
            )
        names = [
            f"{model.model_id if self._strict else model.example} ({model.task_type})"
            for model in packaged_models()
        ]
        with self._lock:
            names += self._factories
        others = "" if self._strict else ", and other versions and aliases of them"
        return (
            f"No model answers to '{model_id}' here. There are {', '.join(names)}{others}. Serve "
            f"one of your own with `inference-sdk serve --model {model_id}=best.onnx`, or "
            f"ModelStore.register('{model_id}', factory)."
        )
