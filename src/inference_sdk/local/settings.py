"""What a server is told at its start, whichever way it is started: in a thread, process or command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Union

from aiohttp import web

from inference_sdk.http.utils.aliases import resolve_roboflow_model_alias
from inference_sdk.local.admission import MAX_QUEUE
from inference_sdk.local.app import create_app
from inference_sdk.local.gate import Limits, Origins
from inference_sdk.local.models import ModelStore
from inference_sdk.local.models.fixed import Answer, FixedModel
from inference_sdk.local.workflows.settings import WorkflowSettings, WorkflowsGiven

Models = Union[ModelStore, Mapping[str, Any], str, None]
"""What a server answers with: a store; files and factories by id, as `ModelStore` takes them; or
"package.module:function" that makes a store. None for the packaged models alone."""


@dataclass(frozen=True)
class ServerSettings:
    """All that makes one server's application another than the next one's."""

    models: Models = None
    api_key: str | None = None
    workflows: WorkflowSettings = field(default_factory=lambda: WorkflowSettings.of(None))
    max_queue: int = MAX_QUEUE
    answers: Mapping[str, Answer] | None = None
    allow_url_input: bool = False
    allow_file_input: str | None = None
    allow_origins: Sequence[str] = ()
    allow_hosts: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)

    def app(self) -> web.Application:
        """The application.

        Raises:
            UnusableModelError: an ONNX file is broken or of no known kind.
            ValueError: the key is empty, or an origin is none.
        """
        models = resolve_models(self.models)
        for model_id, answer in (self.answers or {}).items():
            fixed = FixedModel(resolve_roboflow_model_alias(model_id), answer)
            models.register(model_id, partial(_same, fixed))
        return create_app(
            models=models,
            api_key=self.api_key,
            workflows=self.workflows,
            max_queue=self.max_queue,
            allow_url_input=self.allow_url_input,
            allow_file_input=self.allow_file_input,
            origins=Origins(self.allow_origins, self.allow_hosts),
            limits=self.limits,
        )

    def to_json(self) -> dict[str, Any]:
        """What another process makes the same of."""
        return {
            **vars(self),
            "workflows": self.workflows.to_json(),
            "limits": vars(self.limits),
        }

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> ServerSettings:
        workflows: WorkflowsGiven = settings["workflows"]
        limits = Limits(**settings["limits"])
        return cls(**{**settings, "workflows": WorkflowSettings.of(workflows), "limits": limits})

    @property
    def has_code(self) -> bool:
        """Some of it is not data, and cannot move to another process."""
        models = self.models if isinstance(self.models, Mapping) else {}
        sources = [*models.values(), *(self.answers or {}).values()]
        return isinstance(self.models, ModelStore) or any(map(callable, sources))


def _same(model: FixedModel, _: str) -> FixedModel:
    return model


def resolve_models(models: Models) -> ModelStore:
    """The store behind each of the forms that `models` may have."""
    if models is None:
        return ModelStore()
    if isinstance(models, ModelStore):
        return models
    if isinstance(models, Mapping):
        store = ModelStore(models)
        store.open_files()
        return store
    from pkgutil import resolve_name

    store = resolve_name(models)()
    if not isinstance(store, ModelStore):
        raise TypeError(f"'{models}' has to make a ModelStore, not {type(store).__name__}.")
    return store
