"""The command `serve`: the embedded server in the foreground, until it is asked to stop."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference_sdk.cli.failures import CommandError, ExitCode, one_line, require
from inference_sdk.cli.terminal import say

if TYPE_CHECKING:
    from rich.console import Console

    from inference_sdk.local import ModelStore
    from inference_sdk.local.gate import Limits
    from inference_sdk.local.workflows.settings import WorkflowSettings


@dataclass(frozen=True)
class ModelOptions:
    """What the command line says of models; texts as they were given."""

    models: Sequence[str] = ()
    """Each "id=path"."""
    folder: str | None = None
    tasks: Sequence[str] = ()
    """Each a value for all models, or "id=value" for one; so are those that follow."""
    labels: Sequence[str] = ()
    keypoints: Sequence[str] = ()
    sizes: Sequence[str] = ()
    fits: Sequence[str] = ()
    values: Sequence[str] = ()
    provider: str | None = None
    strict: bool = False
    preload: bool = False
    max_models: int | None = None


@dataclass(frozen=True)
class LifeOptions:
    """What the command line says of the server as a whole."""

    max_queue: int = 128
    drain_timeout: float = 30.0
    allow_url_input: bool = False
    allow_file_input: str | None = None
    allow_origins: Sequence[str] = ()
    allow_hosts: Sequence[str] = ()
    limits: Sequence[str] = ()
    """Each "name=number"."""


def serve(
    host: str,
    port: int,
    api_key: str | None,
    options: ModelOptions,
    workflows: WorkflowSettings,
    life: LifeOptions,
    console: Console,
) -> ExitCode:
    """Run the command; `console` is standard output.

    Raises:
        CommandError: the port is taken, a model or file cannot be used, or the extra `local` is missing.
    """
    require("onnxruntime", extra="local", purpose="The embedded server")
    from inference_sdk.local import UnusableModelError
    from inference_sdk.local import serve as serve_until_stopped

    limits = make_limits(life.limits)
    try:
        store = make_store(options)
        own: list[str] = []
        store.open_files(own.append)
    except UnusableModelError as error:
        raise CommandError(one_line(error), ExitCode.USAGE) from error
    try:
        serve_until_stopped(
            host,
            port,
            api_key=api_key,
            models=store,
            workflows=workflows,
            max_queue=life.max_queue,
            drain_timeout=life.drain_timeout,
            allow_url_input=life.allow_url_input,
            allow_file_input=life.allow_file_input,
            allow_origins=life.allow_origins,
            allow_hosts=life.allow_hosts,
            limits=limits,
            on_ready=lambda address: _announce(address, own, store, options, console),
            on_stop=lambda sentence: say(console, sentence),
        )
    except ValueError as error:
        raise CommandError(one_line(error), ExitCode.USAGE) from error
    except OSError as error:
        raise CommandError(one_line(error), ExitCode.FAILED) from error
    return ExitCode.OK


def make_limits(texts: Sequence[str]) -> Limits:
    """The limits of a command line.

    Raises:
        CommandError: one is not understood.
    """
    from dataclasses import fields

    from inference_sdk.local.gate import Limits

    names = [field.name for field in fields(Limits)]
    given: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in names or not re.fullmatch(r"0*[1-9][0-9]{0,17}", number):
            raise CommandError(
                f"--limit {text}: write a name and a number above 0, as in --limit pixels=80000000. "
                f"Names: {', '.join(names)}."
            )
        given[name] = int(number)
    return Limits(**given)


def make_store(options: ModelOptions) -> ModelStore:
    """The store of a command line.

    Raises:
        CommandError: an option is not understood.
        UnusableModelError: an option names what there is not.
    """
    from inference_sdk.local import ModelFile, ModelStore

    paths = dict(_pair(text) for text in options.models)
    facts: dict[str, dict[str, Any]] = {model_id: {} for model_id in paths}
    for field, texts in (
        ("task", options.tasks),
        ("labels", options.labels),
        ("keypoints", options.keypoints),
        ("size", options.sizes),
        ("fit", options.fits),
        ("values", options.values),
    ):
        for text in texts:
            model_id, value = _of_one(text, facts)
            read = _READERS.get(field, str)(value)
            for said in [facts[model_id]] if model_id else facts.values():
                said[field] = read
    return ModelStore(
        {model_id: ModelFile(path, **facts[model_id]) for model_id, path in paths.items()},
        folder=options.folder,
        provider=options.provider,
        strict=options.strict,
        max_models=options.max_models,
    )


def _pair(text: str) -> tuple[str, str]:
    model_id, separator, path = text.partition("=")
    if not (separator and model_id and path):
        raise CommandError(
            f"--model {text}: write the id and the file, as in --model my-project/1=best.onnx."
        )
    return model_id, path


def _of_one(text: str, facts: dict[str, Any]) -> tuple[str | None, str]:
    """The model that an option is about, None for all, and its value."""
    model_id, separator, value = text.partition("=")
    return (model_id, value) if separator and model_id in facts else (None, text)


def _size(text: str) -> tuple[int, int]:
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdigit() and int(side) for side in sides):
        raise CommandError(f"--size {text}: write 640, or width and height as in 640x480.")
    return int(sides[-1]), int(sides[0])


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


_READERS: dict[str, Any] = {"size": _size, "keypoints": _names}


def _announce(
    address: str, own: Sequence[str], store: ModelStore, options: ModelOptions, console: Console
) -> None:
    from inference_sdk.local.models.catalogue import packaged_models

    say(console, f"Serving at {address}")
    for line in own:
        say(console, f"  {line}")
    for model in packaged_models():
        plain = options.strict or not model.stands_in
        stands_in = "" if plain else f", also for {model.example} and its like"
        say(console, f"  {model.model_id:30} {model.task_type:22} {model.title}{stands_in}")
    say(console, "Stop with Ctrl+C.")
    if options.preload:
        threading.Thread(target=_preload, args=(store, options), daemon=True).start()


def _preload(store: ModelStore, options: ModelOptions) -> None:
    """Load the packaged models while others are served already."""
    from inference_sdk.local.models.catalogue import packaged_models

    # OCR is large, and few ask for it.
    wanted = [model for model in packaged_models() if model.stands_in and not model.needs]
    for model in wanted[: options.max_models]:
        store.get(model.model_id if options.strict else model.example)
