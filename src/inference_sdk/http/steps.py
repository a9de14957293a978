"""Operations, and the two runners that carry them out.

A call of the API is written once, as a plain generator: it yields the steps it needs (a request
sent, an image loaded, a pause) and returns its result. `run` performs each step by blocking,
`run_async` by awaiting; the two halves of a step stand side by side, in one class.

    def depth(state, image) -> Operation[Answer]:
        [loaded] = yield LoadImages({"inference_input": image})
        return (yield Exchange(request_with(loaded), RequestMethod.POST, state.configuration))

Nothing here knows what the steps are for, and no step knows which operation yields it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from inference_sdk.http import interruption, pipeline
from inference_sdk.http.observing import Phase, in_turn, timed
from inference_sdk.http.traffic import Sending, Traffic
from inference_sdk.http.workers import beside_loop

if TYPE_CHECKING:
    from inference_sdk.http.answers import Answer
    from inference_sdk.http.downloads.following import Download
    from inference_sdk.http.entities import Concurrency, InferenceConfiguration, RequestMethod
    from inference_sdk.http.utils.request_building import RequestData

T = TypeVar("T")


class Step(Protocol):
    """One thing an operation needs done, in its blocking and its awaiting form."""

    def perform(self, context: Any) -> Any: ...

    async def perform_async(self, context: Any) -> Any: ...


Operation = Generator[Step, Any, T]
"""What a call does, without doing any of it: yields steps, returns a T."""


def run(operation: Operation[T], context: Any) -> T:
    """Carry out an operation on the calling thread.

    Args:
        operation: what to do.
        context: what the steps are performed on: a client, or None for steps that need none.
    """
    try:
        step = next(operation)
        while True:
            interruption.check()
            try:
                result = step.perform(context)
            except Exception as error:  # noqa: BLE001 - the operation decides what it can handle
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as done:
        return done.value


async def run_async(operation: Operation[T], context: Any) -> T:
    """Carry out an operation on the running event loop; the twin of `run`."""
    try:
        step = next(operation)
        while True:
            try:
                result = await step.perform_async(context)
            except Exception as error:  # noqa: BLE001 - the operation decides what it can handle
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as done:
        return done.value


class Sends(Protocol):
    """What requests are sent by, and pauses are made."""

    sleep: Callable[[float], None]
    sleep_async: Callable[[float], Awaitable[None]]

    def exchange(
        self, request: RequestData, method: RequestMethod, configuration: InferenceConfiguration
    ) -> Answer: ...

    async def exchange_async(
        self, request: RequestData, method: RequestMethod, configuration: InferenceConfiguration
    ) -> Answer: ...


class HasTransport(Protocol):
    """A context with a connection pool."""

    @property
    def transport(self) -> Sends: ...


class HasTraffic(Protocol):
    """A context that learns from its requests."""

    @property
    def traffic(self) -> Traffic: ...


class SendsOverConnections(HasTransport, HasTraffic, Protocol):
    """A context that sends requests, and learns from them."""


class LoadsImages(Protocol):
    """A context that turns image references into base64."""

    def load_images(self, arguments: Mapping[str, Any]) -> Any: ...

    async def load_images_async(self, arguments: Mapping[str, Any]) -> Any: ...

    def load_nested_images(self, arguments: Mapping[str, Any]) -> Any: ...

    async def load_nested_images_async(self, arguments: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Exchange:
    """Send one request, once, and take in its answer, whatever the status."""

    request: RequestData
    method: RequestMethod
    configuration: InferenceConfiguration
    servers: tuple[str, ...] = ()
    """Addresses of which any will do; the request is addressed to the first. None: only to it."""

    def perform(self, context: SendsOverConnections) -> Answer:
        with self._sending(context) as sending:
            sending.answer = context.transport.exchange(
                sending.request, self.method, self.configuration
            )
        return sending.answer

    async def perform_async(self, context: SendsOverConnections) -> Answer:
        with self._sending(context) as sending:
            sending.answer = await context.transport.exchange_async(
                sending.request, self.method, self.configuration
            )
        return sending.answer

    def _sending(self, context: HasTraffic) -> Sending:
        pool = context.traffic.pool if self.servers else None
        return Sending(self.request, self.servers, pool, self.configuration)


@dataclass(frozen=True)
class Sleep:
    """Pause for some seconds."""

    seconds: float

    def perform(self, context: HasTransport) -> None:
        with timed(Phase.PAUSING):
            context.transport.sleep(self.seconds)

    async def perform_async(self, context: HasTransport) -> None:
        with timed(Phase.PAUSING):
            await context.transport.sleep_async(self.seconds)


@dataclass(frozen=True)
class Call:
    """Call a public method of the client by name, or its `_async` twin.

    By name, so that a method that a subclass or a test replaced is the one that is called.
    """

    name: str
    arguments: Mapping[str, Any]

    def perform(self, context: Any) -> Any:
        return getattr(context, self.name)(**self.arguments)

    async def perform_async(self, context: Any) -> Any:
        return await getattr(context, f"{self.name}_async")(**self.arguments)


@dataclass(frozen=True)
class Change:
    """Change the client's own state; there is nothing in it to wait for."""

    name: str
    arguments: Mapping[str, Any]

    def perform(self, context: Any) -> None:
        getattr(context, self.name)(**self.arguments)

    async def perform_async(self, context: Any) -> None:
        self.perform(context)


@dataclass(frozen=True)
class LoadImages:
    """Load references as a flat list of (base64, scaling factor) pairs."""

    arguments: Mapping[str, Any]

    def perform(self, context: LoadsImages) -> Any:
        return context.load_images(self.arguments)

    async def perform_async(self, context: LoadsImages) -> Any:
        return await context.load_images_async(self.arguments)


@dataclass(frozen=True)
class LoadNestedImages:
    """As `LoadImages`, keeping the nesting of the references."""

    arguments: Mapping[str, Any]

    def perform(self, context: LoadsImages) -> Any:
        return context.load_nested_images(self.arguments)

    async def perform_async(self, context: LoadsImages) -> Any:
        return await context.load_nested_images_async(self.arguments)


@dataclass(frozen=True)
class FetchURL:
    """Download a picture, under the policy for images by URL."""

    url: str

    def perform(self, context: object) -> Download:  # noqa: ARG002 - the call tells for whom
        from inference_sdk.http.downloads import fetching

        with timed(Phase.READING):
            return fetching.download(self.url)

    async def perform_async(self, context: object) -> Download:  # noqa: ARG002 - as above
        from inference_sdk.http.downloads import fetching

        with timed(Phase.READING):
            return await fetching.download_async(self.url)


class Compute(Generic[T]):
    """Work that blocks (a file, a codec): in place, or in a thread beside the event loop.

    Args:
        function: the work.
        arguments: of the function.
        at_once: the same work where it does not block, else None; spares the event loop's side
            the thread, which costs 0.25 ms.
    """

    def __init__(
        self,
        function: Callable[..., T],
        *arguments: Any,
        at_once: Callable[[], T | None] | None = None,
    ) -> None:
        self._work = partial(function, *arguments)
        self._at_once = at_once

    def perform(self, context: object) -> T:  # noqa: ARG002 - needs no client
        return self._work()

    async def perform_async(self, context: object) -> T:  # noqa: ARG002 - needs no client
        if self._at_once is not None and (result := self._at_once()) is not None:
            return result
        return await beside_loop(self._work)


@dataclass(frozen=True)
class Each(Generic[T]):
    """Carry out many operations, some at once; their results as a list, in order.

    The first failure, in order, ends the rest and is raised.

    Attributes:
        kind: of the operations, where the concurrency is "auto"; see `Traffic.limit`.
    """

    operations: Iterable[Operation[T]]
    concurrency: Concurrency
    kind: str = ""

    def perform(self, context: Any) -> list[T]:
        jobs = (in_turn(partial(run, operation, context)) for operation in self.operations)
        return list(pipeline.stream(jobs, concurrency=self._limit(context)))

    async def perform_async(self, context: Any) -> list[T]:
        jobs = [in_turn(partial(run_async, operation, context)) for operation in self.operations]
        limit = self._limit(context)
        results = pipeline.stream_async(pipeline.as_async(jobs), concurrency=limit)
        return [result async for result in results]

    def _limit(self, context: HasTraffic) -> int | pipeline.Limit:
        if isinstance(self.concurrency, int):
            return self.concurrency
        return context.traffic.limit(self.concurrency, self.kind)
