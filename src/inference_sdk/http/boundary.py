"""Where errors leave the package: without secrets, and without the frames in between.

Whoever passed a wrong argument wants to see their own line, the call, and what was wrong; not the
runner, the generator and the transport below. So an `HTTPClientError` that leaves a public method
shows one frame of the package, that method. Its causes are told without traceback, and masked.

Errors of any other kind are bugs, of ours or of code of the caller's that we called: they keep
their whole traceback, and so does an `HTTPClientError` that comes through code of the caller's.
With `INFERENCE_DEBUG` set, every error does.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import cache, wraps
from types import CodeType, FunctionType, TracebackType
from typing import Any, TypeVar

from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.utils.masked_copies import masked_alone, masked_error
from inference_sdk.utils.decorators import StandIn, WarningCall

C = TypeVar("C", bound=type)

DEBUG_VARIABLE = "INFERENCE_DEBUG"
"""Set to anything, tracebacks are shown whole."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARIES = (
    f"{os.sep}site-packages{os.sep}",
    f"{os.sep}dist-packages{os.sep}",
    "<frozen ",
    "<string>",
)


def boundary(cls: C) -> C:
    """A class whose public methods are where errors leave: decorates the methods it defines."""
    for name, member in list(vars(cls).items()):
        if name != "__init__" and name.startswith("_"):
            continue
        if isinstance(member, WarningCall):  # warns first, and at once: it stays outermost
            setattr(cls, name, member.around(leaving))
        elif isinstance(member, FunctionType):
            setattr(cls, name, leaving(member))
    return cls


def leaving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function, or one of the three kinds that run later, whose errors leave the package."""
    if inspect.iscoroutinefunction(function):
        return _coroutine(function)
    if inspect.isasyncgenfunction(function):
        return _AsyncGeneratorCall(function)
    if inspect.isgeneratorfunction(function):
        return _generator(function)
    return _function(function)


# A bare `raise` adds no frame: what `dismiss` has made of the traceback is what is seen.


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    code = _code_of(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exc_info()[1]
        try:
            return function(*args, **kwargs)
        except HTTPClientError as error:
            dismiss(error, code, handled)
            raise

    return call


def _coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    code = _code_of(function)

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exc_info()[1]
        try:
            return await function(*args, **kwargs)
        except HTTPClientError as error:
            dismiss(error, code, handled)
            raise

    return call


def _generator(function: Callable[..., Any]) -> Callable[..., Any]:
    code = _code_of(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        try:
            return (yield from function(*args, **kwargs))
        except HTTPClientError as error:
            dismiss(error, code)
            raise

    return call


class _AsyncGeneratorCall(StandIn):
    def __call__(self, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        return _Results(super().__call__(*args, **kwargs), _code_of(self.func))


class _Results(AsyncGenerator[Any, Any]):
    """What an async generator gives.

    Not a generator around it: a loop that shuts down closes all of those that it knows at once, and
    the outer one cannot close an inner one that is being closed.
    """

    def __init__(self, generator: AsyncGenerator[Any, Any], code: CodeType) -> None:
        self._generator = generator
        self._code = code

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self.asend(None)

    async def asend(self, value: Any) -> Any:
        handled = sys.exc_info()[1]
        try:
            return await self._generator.asend(value)
        except HTTPClientError as error:
            dismiss(error, self._code, handled)
            raise

    async def athrow(self, *thrown: Any) -> Any:
        handled = sys.exc_info()[1]
        try:
            return await self._generator.athrow(*thrown)
        except HTTPClientError as error:
            dismiss(error, self._code, handled)
            raise

    async def aclose(self) -> None:
        await self._generator.aclose()


def _code_of(function: Callable[..., Any]) -> CodeType:
    code: CodeType = inspect.unwrap(function).__code__
    return code


def dismiss(
    error: HTTPClientError, code: CodeType | None = None, handled: BaseException | None = None
) -> None:
    """Make an error fit to be seen: no secrets in its chain, no frames but that of `code`.

    Args:
        code: of the public method that it leaves; None for an error that is given, not raised.
        handled: the error that the caller was handling, which stays the context.
    """
    whole = bool(os.environ.get(DEBUG_VARIABLE))
    if error.__cause__ is not None and error.__cause__ is not handled:
        error.__cause__ = _told(error.__cause__)
    if handled is not error:
        error.__context__ = handled
    if code is not None and not whole and not _passes_callers_code(error.__traceback__):
        _show_only(code, error)


def _told(error: BaseException) -> BaseException:
    if not (os.environ.get(DEBUG_VARIABLE) or _passes_callers_code(error.__traceback__)):
        return masked_alone(error)
    told = masked_error(error).with_traceback(error.__traceback__)
    told.__cause__ = error.__cause__ and _told(error.__cause__)
    told.__context__ = error.__context__ and _told(error.__context__)
    return told


def _show_only(code: CodeType, error: BaseException) -> None:
    outermost = frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code is not code:
        frame = frame.tb_next
    if outermost is None or frame is None:
        return
    frame.tb_next = None
    if sys.version_info >= (3, 11):
        error.__traceback__ = frame
    else:  # a bare raise goes on with the traceback that was caught, whatever the error has
        outermost.tb_next = None


def _passes_callers_code(trace: TracebackType | None) -> bool:
    while trace is not None:
        if _is_callers(trace.tb_frame.f_code.co_filename):
            return True
        trace = trace.tb_next
    return False


@cache
def _is_callers(file: str) -> bool:
    """Whether a file is neither the package's nor a library's."""
    if any(part in file for part in _LIBRARIES):
        return False
    return not os.path.abspath(file).startswith((_PACKAGE, *_standard_library()))


@cache
def _standard_library() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(os.path.join(paths[name], "") for name in ("stdlib", "platstdlib"))
