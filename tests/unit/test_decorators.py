from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from inference_sdk import config
from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.utils.decorators import deprecated, experimental


@deprecated(reason="Use new().")
def old(a: int, *, b: int = 2) -> tuple[int, int]:
    """What old does."""
    return a, b


@deprecated(reason="Use new().")
async def old_async(a: int) -> int:
    """What old_async does."""
    return a


@experimental(info="May change.")
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@experimental(info="May change.")
async def numbers_async(n: int) -> AsyncIterator[int]:
    for number in range(n):
        yield number


class Client:
    @experimental(info="May change.")
    def method(self) -> Client:
        return self

    @experimental(info="May change.")
    async def method_async(self) -> Client:
        return self


def warned_at(caught: pytest.WarningsRecorder) -> tuple[str, int, str]:
    warning = caught.pop(InferenceSDKDeprecationWarning)
    return warning.filename, warning.lineno, str(warning.message)


def this_line() -> int:
    return sys._getframe(1).f_lineno


def test_a_deprecated_function_warns_at_each_call_on_the_callers_line() -> None:
    for _ in range(2):
        with pytest.warns(InferenceSDKDeprecationWarning) as caught:
            result, line = old(1, b=3), this_line()
        assert result == (1, 3)
        assert warned_at(caught) == (__file__, line, "old is deprecated: Use new().")


def test_an_experimental_method_is_named() -> None:
    client = Client()
    with pytest.warns(InferenceSDKDeprecationWarning, match=r"^method is experimental: May"):
        assert client.method() is client


def test_a_coroutine_function_warns_when_it_is_called_not_when_it_is_awaited() -> None:
    with pytest.warns(InferenceSDKDeprecationWarning) as caught:
        coroutine, line = old_async(7), this_line()
    assert warned_at(caught)[:2] == (__file__, line)
    assert asyncio.run(coroutine) == 7  # a second warning would fail the test


def test_a_coroutine_method_is_bound() -> None:
    client = Client()
    with pytest.warns(InferenceSDKDeprecationWarning, match=r"^method_async"):
        coroutine = client.method_async()
    assert asyncio.run(coroutine) is client


def test_a_generator_function_warns_when_it_is_called() -> None:
    with pytest.warns(InferenceSDKDeprecationWarning) as caught:
        generator, line = numbers(3), this_line()
    assert warned_at(caught)[:2] == (__file__, line)
    assert list(generator) == [0, 1, 2]


async def test_an_async_generator_function_warns_when_it_is_called() -> None:
    with pytest.warns(InferenceSDKDeprecationWarning, match="numbers_async"):
        generator = numbers_async(3)
    assert [number async for number in generator] == [0, 1, 2]


def test_functions_stay_of_their_kind() -> None:
    assert inspect.isfunction(old)
    assert inspect.iscoroutinefunction(old_async)
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(numbers_async)
    assert inspect.iscoroutinefunction(Client.method_async)
    assert inspect.iscoroutinefunction(Client().method_async)
    assert inspect.isroutine(Client.method_async)


@pytest.mark.parametrize(("function", "name"), [(old, "old"), (old_async, "old_async")])
def test_name_docstring_and_signature_are_kept(function: Any, name: str) -> None:
    assert function.__name__ == name
    assert function.__doc__ == f"What {name} does."
    assert next(iter(inspect.signature(function).parameters)) == "a"


def test_warnings_can_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "INFERENCE_WARNINGS_DISABLED", True)
    assert old(1) == (1, 2)
    assert asyncio.run(old_async(1)) == 1


def test_the_line_of_the_user_is_blamed_through_the_packages_own_frames() -> None:
    own_code: dict[str, Any] = {"__name__": "inference_sdk.some_module", "numbers": numbers}
    exec("def through(): return list(numbers(1))", own_code)
    with pytest.warns(InferenceSDKDeprecationWarning) as caught:
        _, line = own_code["through"](), this_line()
    assert warned_at(caught)[:2] == (__file__, line)
