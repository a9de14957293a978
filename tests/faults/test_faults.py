"""Each fault in each form of call, sync and async: the documented error or the right result, in
time; then the right result to the next request; and nothing left over, nothing told.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.entities import HTTPClientMode
from inference_sdk.http.errors import HTTPClientError
from tests.faults.catalogue import (
    KEY,
    LARGEST,
    PROXIES,
    PROXY_PASSWORD,
    faults_of_servers,
    table,
)
from tests.faults.server import LIMIT, Fault, FaultServer, picture
from tests.programs import Face, Player, both_plays

OPTIONS = {
    "client_mode": HTTPClientMode.V0,  # one request for a picture
    "max_concurrent_requests": 2,
    "max_response_size": LARGEST,
    "retry_backoff": 0.0,
    "retry_after_limit": 0.0,
    "read_timeout": 5.0,
    "connect_timeout": 5.0,
}
IN_TIME = 2.5
"""Seconds that a call may take, whatever happens: no time-out of a fault is above half of one."""

each_fault = pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=name) for name, fault in faults_of_servers()]
)


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


# -- the forms of call: each gives results or errors, in the order of its pictures -----------------


async def single(face: Face, pictures: list[str], poisoned: str) -> list[Any]:
    return [await face.call("infer", poisoned, model_id="project/1")]


async def batch(face: Face, pictures: list[str], poisoned: str) -> list[Any]:
    return list(await face.call("infer", pictures, model_id="project/1"))


async def many(face: Face, pictures: list[str], poisoned: str) -> list[Any]:
    return await face.list("infer_many", iter(pictures), model_id="project/1", on_error="return")


async def workflow(face: Face, pictures: list[str], poisoned: str) -> list[Any]:
    named = {"workspace_name": "w", "workflow_id": "i", "images": {"image": poisoned}}
    return list(await face.call("run_workflow", **named))


FORMS = {"single": single, "batch": batch, "many": many, "workflow": workflow}


async def outcome_of(form: Any, face: Face, *pictures: Any) -> list[Any]:
    try:
        return await form(face, *pictures)
    except HTTPClientError as error:
        return [error]


async def close(client: InferenceHTTPClient, face: Face) -> None:
    await client.aclose() if face.is_async else client.close()


async def heal(faulty: FaultServer, face: Face) -> None:
    """Have it behave rightly again, once the fault has been done to its end."""
    faulty.infect(None)
    began = time.monotonic()
    while faulty.striking:
        if time.monotonic() - began > LIMIT:
            faulty.drop()  # else those that come after would wait for it, too
            pytest.fail("The client keeps a connection open on which it can expect nothing.")
        await face.pause(0.001)


def judge(fault: Fault, results: list[Any], pictures: list[str], poisoned: str) -> None:
    """Every result is its picture's, or the error of the fault, which strikes the poisoned one."""
    asked = pictures if len(results) > 1 else [poisoned]
    assert len(results) == len(asked)
    for result, one in zip(results, asked, strict=True):
        if fault.error is not None and (fault.at_accept or one == poisoned):
            assert type(result) is fault.error, repr(result)
        else:
            assert echo_of(result) == [one[:24]], repr(result)


def echo_of(result: Any) -> Any:
    return result.get("echo") if isinstance(result, dict) else None


def everything_of(error: BaseException) -> str:
    """What a log of the error shows, and what its chain holds."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in chain:
            chain.append(current)
            waiting += [current.__cause__, current.__context__]
    told = [text for e in chain for text in (str(e), repr(e), repr(e.args), repr(vars(e)))]
    return "\n".join([*told, *traceback.format_exception(error)])


@both_plays
@each_fault
def test_faults(
    play: Player, fault: Fault, faulty: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = picture(1, poisoned=True, size=fault.size)
    pictures = [picture(0), picture(2), picture(3)]
    pictures.insert(3 if fault.is_last else 1, poisoned)

    async def program(face: Face) -> None:
        healthy = face.client
        # A kept connection would spare the caller what is done to new ones.
        kept = {"idle_timeout": 0.0} if fault.at_accept else {}
        window = {"max_concurrent_requests": 1} if fault.is_last else {}
        struck = Face(healthy.with_options(**kept, **window, **fault.options), face.is_async)
        for name, form in FORMS.items():
            if fault.at_accept:
                await close(healthy, face)
            faulty.infect(fault)
            began = time.monotonic()
            results = await outcome_of(form, struck, pictures, poisoned)
            assert time.monotonic() - began < IN_TIME, name
            await heal(faulty, face)
            judge(fault, results, pictures, poisoned)
            told = "\n".join(everything_of(r) for r in results if isinstance(r, Exception))
            assert KEY not in told + caplog.text, name
            for one in pictures[::2]:
                assert [echo_of(r) for r in await single(face, [], one)] == [[one]], name
        if face.is_async:
            await close(healthy, face)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    client = InferenceHTTPClient(faulty.url, KEY).with_options(**OPTIONS)
    threads = threading.active_count()
    with caplog.at_level(logging.DEBUG):
        play(client, program)
    faulty.wait_until_left(threads)
    gc.collect()  # a socket that was left open would warn


@both_plays
@pytest.mark.parametrize("fault", PROXIES.values(), ids=list(PROXIES))
def test_faults_of_proxies(
    play: Player, fault: Fault, faulty: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def program(face: Face) -> None:
        began = time.monotonic()
        (error,) = await outcome_of(single, face, [], picture(0))
        assert time.monotonic() - began < IN_TIME
        await heal(faulty, face)
        assert type(error) is fault.error, repr(error)
        assert "target.test" in str(error)
        told = everything_of(error) + caplog.text
        assert KEY not in told
        assert PROXY_PASSWORD not in told
        if face.is_async:
            await face.client.aclose()

    proxy = faulty.url.replace("//", f"//me:{PROXY_PASSWORD}@")
    client = InferenceHTTPClient("https://target.test", KEY)
    client = client.with_options(**{**OPTIONS, **fault.options}, proxy=proxy)
    faulty.infect(fault)
    with caplog.at_level(logging.DEBUG):
        play(client, program)
    faulty.wait_until_left()
    gc.collect()


def test_the_page_has_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert table() in page.read_text(encoding="utf-8"), "python -m tests.faults.catalogue prints it"
