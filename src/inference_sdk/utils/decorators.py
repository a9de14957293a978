"""Marks on functions whose use deserves a warning. Knows nothing of what they do.

The warning is given when the function is called, on the caller's line, also for coroutine and
generator functions, whose bodies run later and elsewhere (in a task, in a loop over results).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any, ParamSpec, TypeVar, cast

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.utils.notices import warn_user

P = ParamSpec("P")
R = TypeVar("R")


def deprecated(reason: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function as going away; `reason` says what to use instead.

    Example:
        >>> @deprecated(reason="Use run_workflow().")
        ... def infer_from_workflow(): ...
    """
    return lambda function: _warning(function, f"{function.__name__} is deprecated: {reason}")


def experimental(info: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function that may change without notice; `info` says what to expect."""
    return lambda function: _warning(function, f"{function.__name__} is experimental: {info}")


def _warning(function: Callable[P, R], message: str) -> Callable[P, R]:
    if _runs_later(function):
        return cast(Callable[P, R], WarningCall(function, message))

    @functools.wraps(function)
    def warn_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
        warn_user(message, InferenceSDKDeprecationWarning)
        return function(*args, **kwargs)

    return warn_and_call


def _runs_later(function: Callable[P, R]) -> bool:
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    )


class StandIn:
    """In the place of a function, of whose kind it stays.

    `inspect` tells coroutine functions and generators by `__code__`, of what looks like a function
    in these attributes, as compiled functions do. (It looks through a `partial`, too, but counts
    none as a routine from 3.13 on: `help` would list such methods as data.)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.func = function
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            setattr(self, name, getattr(function, name))

    def __get__(self, instance: object, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)


class WarningCall(StandIn):
    """A call that warns first.

    A wrapper of the same kind (`async def`) would warn at the first `await`, when the caller may
    be out of sight; a plain one would no longer count as a coroutine function before 3.12.
    """

    def __init__(self, function: Callable[..., Any], message: str) -> None:
        super().__init__(function)
        self.message = message

    def around(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> WarningCall:
        """The same warning before a changed function."""
        return WarningCall(change(self.func), self.message)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        warn_user(self.message, InferenceSDKDeprecationWarning)
        return super().__call__(*args, **kwargs)
