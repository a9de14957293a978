"""The functions a user registers, and calling them: which arguments they want, what they get.

A handler that raises is logged, and the stream goes on. Knows nothing of threads: whoever calls
decides on which one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from inference_sdk.webrtc.messages import VideoMetadata

logger = get_logger("webrtc.handlers")

Handler = Callable[..., Any]


class Handlers:
    """All handlers of a session, in the order they were registered."""

    def __init__(self) -> None:
        self.frame: list[Handler] = []
        self._error: list[Handler] = []
        self._data: list[tuple[Optional[str], Handler]] = []

    def add_error(self, handler: Handler) -> None:
        self._error.append(handler)

    def add_data(self, field: Optional[str], handler: Handler) -> None:
        """Register for one field of the data, or for all of it (None)."""
        self._data.append((field, handler))

    @property
    def want_errors(self) -> bool:
        """Whether anybody asked for errors."""
        return bool(self._error)

    @property
    def want_data(self) -> bool:
        """Whether anybody asked for data."""
        return bool(self._data)

    def wanted(self, data: dict[str, Any], hidden: Collection[str]) -> dict[str, Any]:
        """The part of the data that some handler gets."""
        fields = {field for field, _ in self._data}
        return {
            name: value
            for name, value in data.items()
            if name in fields or (None in fields and name not in hidden)
        }

    def on_data(
        self,
        data: Optional[dict[str, Any]],
        metadata: Optional[VideoMetadata],
        hidden: Collection[str] = (),
    ) -> None:
        """Hand out data: a field to its handlers, all but the hidden ones to the global ones.

        Where the worker sent none (null), the global ones get None.
        """
        found = data or {}
        shown = {name: value for name, value in found.items() if name not in hidden}
        for field, handler in list(self._data):
            if field is None:
                call_safely(handler, None if data is None else shown, metadata)
            elif field in found:
                call_safely(handler, found[field], metadata)

    def on_errors(self, errors: Sequence[str], metadata: Optional[VideoMetadata]) -> None:
        for handler in list(self._error):
            call_safely(handler, list(errors), metadata)


def call_safely(handler: Handler, value: Any, metadata: Any) -> None:
    """Call `handler(value, metadata)`, or `handler(value)` where it takes one argument."""
    with _logged(handler):
        handler(*_arguments(handler, value, metadata))


async def call_safely_async(handler: Handler, value: Any, metadata: Any) -> None:
    """As `call_safely`, for a coroutine function or a plain one."""
    with _logged(handler):
        result = handler(*_arguments(handler, value, metadata))
        if inspect.isawaitable(result):
            await result


@contextmanager
def _logged(handler: Handler) -> Iterator[None]:
    try:
        yield
    except Exception:  # what users' code raises is not ours to choose; the stream goes on
        logger.exception("The handler %s failed; the stream goes on.", name_of(handler))


def _arguments(handler: Handler, value: Any, metadata: Any) -> tuple[Any, ...]:
    return (value, metadata) if takes_two(handler) else (value,)


def takes_two(handler: Handler) -> bool:
    """Whether a second positional argument is welcome, told from the signature."""
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):  # some builtins have none; those take one
        return False
    # Of a bare f(*args) nobody knows what it wants: it gets the value, as with inference-sdk 1.1.
    # With anything beside it, f(value, *args) or f(*args, **kwargs), it is a wrapper: all of it.
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return len(parameters) >= 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in parameters) >= 2


def name_of(handler: Handler) -> str:
    return getattr(handler, "__qualname__", None) or repr(handler)
