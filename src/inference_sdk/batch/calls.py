"""What is asked for each picture: a model, a workflow, a call of the client, or a function.

Answers come with their item, and an error in the place of an answer; a picture that fails costs
only itself. All of them share the client's connections and its `max_concurrent_requests`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, fields
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from inference_sdk.batch.errors import BatchError
from inference_sdk.batch.items import Item, Unreadable
from inference_sdk.http import pipeline
from inference_sdk.http.errors import EncodingError, HTTPClientError

if TYPE_CHECKING:
    from inference_sdk.http.client import InferenceHTTPClient

Answered = tuple[Item, Any]
"""An item, and its answer or error."""

Function = Callable[[Any], Any]


class Call(Protocol):
    """Something to ask for pictures.

    Attributes:
        description: what decides the answers, for the journal.
        awaited: whether it can only be asked on an event loop.
    """

    description: Mapping[str, Any]
    awaited: bool

    def answers(self, items: Iterable[Item], ordered: bool) -> Iterator[Answered]: ...

    def answers_async(self, items: Iterable[Item], ordered: bool) -> AsyncIterator[Answered]: ...


def open_call(
    client: InferenceHTTPClient | None,
    model_id: str | None,
    workflow: Mapping[str, Any] | str | Path | None,
    call: str | Function | None,
    parameters: Mapping[str, Any] | None,
) -> Call:
    """What was asked for, of `model_id`, `workflow` and `call` exactly one.

    Raises:
        BatchError: none or several are given, or the client is missing or has no such call.
    """
    given = [n for n, v in (("model_id", model_id), ("workflow", workflow), ("call", call)) if v]
    if len(given) != 1:
        raise BatchError(
            f"Name one of model_id, workflow and call ({' and '.join(given) or 'none'} given)."
        )
    if callable(call):
        return FunctionCall(call, client, parameters or {})
    if client is None:
        raise BatchError(f"{given[0]} is asked of a server: give a client.")
    if model_id:
        if parameters:
            raise BatchError(
                "Parameters of a model are set on the client: client.with_options(...)."
            )
        return ModelCall(client, model_id)
    if workflow:
        return WorkflowCall(client, workflow, parameters or {})
    return MethodCall(client, str(call), parameters or {})


class ModelCall:
    """`infer_many`, with its batches and its window."""

    awaited = False

    def __init__(self, client: InferenceHTTPClient, model_id: str) -> None:
        self._client = client
        self._model_id = model_id
        self.description: Mapping[str, Any] = {"model": model_id, "settings": _settings(client)}

    def answers(self, items: Iterable[Item], ordered: bool) -> Iterator[Answered]:
        under_way = _UnderWay(items)
        ask: Any = self._client.infer_many  # its overloads want `ordered` as a literal
        answers = ask(under_way.references(), self._model_id, ordered=ordered, on_error="return")
        for index, answer in enumerate(answers) if ordered else answers:
            yield under_way.pop(index), answer

    async def answers_async(self, items: Iterable[Item], ordered: bool) -> AsyncIterator[Answered]:
        under_way = _UnderWay(items)
        ask: Any = self._client.infer_many_async
        answers = ask(under_way.references(), self._model_id, ordered=ordered, on_error="return")
        number = 0
        async with aclosing(answers):
            async for answer in answers:
                index, answer = (number, answer) if ordered else answer
                number += 1
                yield under_way.pop(index), answer


class _UnderWay:
    """Items that were handed over, by their place, until their answer is there."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = items
        self._taken: dict[int, Item] = {}
        self.pop = self._taken.pop

    def references(self) -> Iterator[Any]:
        for index, item in enumerate(self._items):
            self._taken[index] = item
            yield item.reference


@dataclass
class _EachAlone:
    """A function of one picture, some of them at once."""

    description: Mapping[str, Any]
    awaited: bool
    blocking: Function
    awaiting: Callable[[Any], Awaitable[Any]]
    window: Callable[[], dict[str, Any]]
    expected: tuple[type[Exception], ...] = (HTTPClientError,)

    def answers(self, items: Iterable[Item], ordered: bool) -> Iterator[Answered]:
        jobs = (partial(self._ask, item) for item in items)
        return pipeline.stream(jobs, **self.window(), ordered=ordered)

    async def answers_async(self, items: Iterable[Item], ordered: bool) -> AsyncIterator[Answered]:
        jobs = (partial(self._ask_async, item) async for item in pipeline.as_async(items))
        stream = pipeline.stream_async(jobs, **self.window(), ordered=ordered)
        async with aclosing(stream) as answers:
            async for answer in answers:
                yield answer

    def _ask(self, item: Item) -> Answered:
        try:
            return item, self.blocking(_picture(item))
        except self.expected as error:
            return item, error

    async def _ask_async(self, item: Item) -> Answered:
        try:
            return item, await self.awaiting(_picture(item))
        except self.expected as error:
            return item, error


def _picture(item: Item) -> Any:
    if isinstance(item.reference, Unreadable):
        raise EncodingError(item.reference.reason)
    return item.reference


def WorkflowCall(  # noqa: N802 - makes one, as the classes beside it
    client: InferenceHTTPClient,
    workflow: Mapping[str, Any] | str | Path,
    parameters: Mapping[str, Any],
) -> Call:
    """`run_workflow` for each picture: a specification, the JSON file of one, or `workspace/id`."""
    named = _workflow(workflow)
    input_name = _image_input(named.get("specification"))
    arguments = {**named, "parameters": dict(parameters)}

    def run(image: Any) -> Any:
        return client.run_workflow(**arguments, images={input_name: image})[0]

    async def run_async(image: Any) -> Any:
        return (await client.run_workflow_async(**arguments, images={input_name: image}))[0]

    described = {"workflow": _digest(named), "parameters": _digest(dict(parameters))}
    return _EachAlone(
        described | {"settings": _settings(client)},
        False,
        run,
        run_async,
        partial(client._window, f"batch {described['workflow']}"),
    )


def _workflow(workflow: Mapping[str, Any] | str | Path) -> dict[str, Any]:
    if isinstance(workflow, Mapping):
        return {"specification": dict(workflow)}
    text = str(workflow)
    if text.endswith(".json"):
        try:
            return {"specification": orjson.loads(Path(workflow).read_bytes())}
        except OSError as error:
            raise BatchError(f"{text} cannot be read: {error.strerror}.") from None
        except orjson.JSONDecodeError as error:
            raise BatchError(f"{text} is no JSON: {error}.") from None
    workspace, slash, id = text.partition("/")  # noqa: A001 - the word for it
    if not (workspace and slash and id) or "/" in id:
        raise BatchError(
            f"{text!r} is no workflow: name it as workspace/id, or give a specification or its "
            "JSON file."
        )
    return {"workspace_name": workspace, "workflow_id": id}


def _image_input(specification: Any) -> str:
    """Name of the input that takes the picture; `image` where the server holds the workflow."""
    inputs = specification.get("inputs") if isinstance(specification, dict) else None
    kinds = ("WorkflowImage", "InferenceImage")
    for declared in inputs if isinstance(inputs, list) else ():
        if isinstance(declared, dict) and declared.get("type") in kinds:
            return str(declared.get("name"))
    return "image"


def MethodCall(  # noqa: N802
    client: InferenceHTTPClient, name: str, parameters: Mapping[str, Any]
) -> Call:
    """A call of the client that takes an image first, such as `ocr_image`."""
    blocking = getattr(client, name, None)
    awaiting = getattr(client, f"{name}_async", None)
    if name.startswith("_") or not (callable(blocking) and callable(awaiting)):
        raise BatchError(f"The client has no call {name!r} for images.")
    return _EachAlone(
        {"call": name, "parameters": _digest(dict(parameters)), "settings": _settings(client)},
        False,
        partial(_with_first, blocking, parameters),
        partial(_with_first, awaiting, parameters),
        partial(client._window, f"batch {name}"),
    )


def _with_first(function: Function, parameters: Mapping[str, Any], image: Any) -> Any:
    return function(image, **parameters)


def FunctionCall(  # noqa: N802
    function: Function, client: InferenceHTTPClient | None, parameters: Mapping[str, Any]
) -> Call:
    """A function of the caller's, sync or async, of one picture."""
    awaited = inspect.iscoroutinefunction(function)

    def ask(image: Any) -> Any:
        return function(image, **parameters)

    async def ask_async(image: Any) -> Any:
        return await (ask(image) if awaited else asyncio.to_thread(ask, image))

    window = {"concurrency": 8, "window": 16}
    return _EachAlone(
        {"call": getattr(function, "__qualname__", type(function).__name__),
         "parameters": _digest(dict(parameters))},
        awaited,
        ask,
        ask_async,
        partial(client._window, "batch") if client is not None else lambda: window,
        (Exception,),
    )  # fmt: skip


_OF_THE_WAY = frozenset(
    {"api_key_transport", "client_certificate", "connect_timeout", "count_inference",
     "idle_timeout", "max_batch_size", "max_concurrent_requests", "max_response_size", "max_tries",
     "model_description_ttl", "profiling_directory", "proxy", "read_timeout", "retry_after_limit",
     "retry_backoff", "retry_budget", "retry_statuses", "service_secret", "total_timeout", "verify"}
)  # fmt: skip
"""Settings that do not change an answer: how it is got, and secrets."""


def _settings(client: InferenceHTTPClient) -> str:
    """What the client adds to each request that may change its answer, as a digest."""
    configuration = client.inference_configuration
    names = {field.name for field in fields(configuration)} - _OF_THE_WAY
    settings = {name: getattr(configuration, name) for name in names}
    return _digest({**settings, "mode": client.client_mode.value})


def _digest(value: Any) -> str:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    return blake2b(orjson.dumps(value, default=str, option=options), digest_size=12).hexdigest()
