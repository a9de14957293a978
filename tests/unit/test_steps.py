"""Operations and their runners: one text, performed by blocking and by awaiting."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from inference_sdk.http.steps import (
    Call,
    Change,
    Compute,
    Each,
    LoadImages,
    LoadNestedImages,
    Operation,
    Sleep,
    run,
    run_async,
)

Runner = Callable[[Operation[Any], Any], Any]


def _run_async(operation: Operation[Any], context: Any) -> Any:
    return asyncio.run(run_async(operation, context))


both_runners = pytest.mark.parametrize("runner", [run, _run_async], ids=["sync", "async"])


class Recorder:
    """A context that notes what it is asked, and in which form."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.transport = self

    def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.asked.append(seconds)

    def method(self, **arguments: Any) -> str:
        self.asked.append(arguments)
        return "sync"

    async def method_async(self, **arguments: Any) -> str:
        self.asked.append(arguments)
        return "async"

    load_images = load_nested_images = lambda self, arguments: ["sync", arguments]

    async def load_images_async(self, arguments: Any) -> Any:
        return ["async", arguments]

    load_nested_images_async = load_images_async


def one(step: Any) -> Operation[Any]:
    return (yield step)


@both_runners
def test_an_operation_returns_what_its_steps_gave(runner: Runner) -> None:
    def operation() -> Operation[int]:
        first = yield Compute(int, "20")
        second = yield Compute(lambda: 22)
        return first + second

    assert runner(operation(), None) == 42


@both_runners
def test_an_operation_without_steps(runner: Runner) -> None:
    assert runner((x for x in ()), None) is None


@both_runners
def test_an_operation_may_handle_what_a_step_raised(runner: Runner) -> None:
    def operation() -> Operation[str]:
        try:
            yield Compute(int, "no number")
        except ValueError as error:
            return (yield Compute(str, error))
        return "not here"

    assert "no number" in runner(operation(), None)


@both_runners
def test_what_an_operation_does_not_handle_is_raised_as_it_was(runner: Runner) -> None:
    error = KeyError("x")

    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        runner(one(Compute(fail)), None)
    assert caught.value is error
    assert error.__cause__ is None
    assert error.__context__ is None


@both_runners
def test_what_an_operation_raises_itself(runner: Runner) -> None:
    def operation() -> Operation[None]:
        yield Compute(int, 1)
        raise LookupError

    with pytest.raises(LookupError):
        runner(operation(), None)


@pytest.mark.parametrize(("runner", "form"), [(run, "sync"), (_run_async, "async")])
def test_steps_are_performed_on_the_context(runner: Runner, form: str) -> None:
    context = Recorder()
    assert runner(one(Call("method", {"a": 1})), context) == form
    assert runner(one(Change("method", {"b": 2})), context) is None
    assert runner(one(Sleep(0.5)), context) is None
    assert runner(one(LoadImages({"c": 3})), context) == [form, {"c": 3}]
    assert runner(one(LoadNestedImages({"d": 4})), context) == [form, {"d": 4}]
    assert context.asked == [{"a": 1}, {"b": 2}, 0.5]


def test_computing_does_not_hold_up_the_loop() -> None:
    where = asyncio.run(run_async(one(Compute(threading.current_thread)), None))
    assert where is not threading.main_thread()
    assert run(one(Compute(threading.current_thread)), None) is threading.main_thread()


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


@both_runners
@pytest.mark.parametrize("concurrency", [1, 4])
def test_context_variables_reach_the_work(runner: Runner, concurrency: int) -> None:
    token = VARIABLE.set("set by the caller")
    try:
        jobs = [one(Compute(VARIABLE.get)) for _ in range(8)]
        assert runner(one(Each(jobs, concurrency)), None) == ["set by the caller"] * 8
    finally:
        VARIABLE.reset(token)


@both_runners
@pytest.mark.parametrize("concurrency", [0, 1, 3, 100])
def test_each_keeps_the_order(runner: Runner, concurrency: int) -> None:
    jobs = (one(Compute(lambda i=i: i * i)) for i in range(10))
    assert runner(one(Each(jobs, concurrency)), None) == [i * i for i in range(10)]


@both_runners
@pytest.mark.parametrize("concurrency", [1, 3])
def test_each_raises_the_first_failure_in_order(runner: Runner, concurrency: int) -> None:
    jobs = (one(Compute(int, text)) for text in ("1", "first", "2", "second"))
    with pytest.raises(ValueError, match="first"):
        runner(one(Each(jobs, concurrency)), None)


@both_runners
def test_each_of_nothing(runner: Runner) -> None:
    assert runner(one(Each([], 4)), None) == []


async def test_cancelling_ends_the_work() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    class Wait:
        def perform(self, context: Any) -> None: ...

        async def perform_async(self, context: Any) -> None:
            started.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

    task = asyncio.create_task(run_async(one(Each([one(Wait())], 2)), None))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
