"""The documented helpers that send requests, and read files."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from case import BASE64, KEY
from stage import Program, Stage, function, tried

SENT: dict[str, dict[str, Any]] = {
    "get": {},
    "parameters": {"parameters": {"a": [1, 2], "b": True, "c": 0.5, "d": "é &"}},
    "payload": {"payload": {"k": [1, None]}},
    "data": {"data": BASE64, "headers": {"Content-Type": "text/plain"}},
    "headers": {"payload": {}, "headers": {"X-A": "b"}},
}


ANSWERS: dict[str, dict[str, Any]] = {
    "object": {"json": {"a": 1}},
    "list": {"json": [1]},
    "bytes": {"raw": "bm8ganNvbg==", "headers": {"Content-Type": "image/jpeg"}},
    "400": {"status": 400, "json": {"message": "m"}},
    "404": {"status": 404, "raw": "bm8ganNvbg=="},
    "500": {"status": 500, "json": {}},
}


def every_sender() -> Iterator[tuple[str, Program]]:
    for method in ("GET", "POST"):
        for sent in SENT:
            for answer in ANSWERS if sent == "payload" else ("object",):
                for sender in SENDERS:
                    yield (
                        f"{sender.__name__} {method} {sent} {answer}",
                        partial(sender, method, SENT[sent], ANSWERS[answer]),
                    )
    for name, answer in ANSWERS.items():
        yield f"send_post_request {name}", partial(posted, answer, {"X-A": "b"})
        yield f"send_post_request {name} no headers", partial(posted, answer, None)
        yield f"raise_for_status {name}", partial(raised_for_status, answer)
    for statuses in ((503, 200), (429, 400)):
        for sender in SENDERS:
            yield f"{sender.__name__} {statuses}", partial(recovered, sender, statuses)


def _request(stage: Stage, sent: dict[str, Any]) -> Any:
    building = importlib.import_module("inference_sdk.http.utils.request_building")
    fields = {
        "url": f"{stage.url}/anything",
        "request_elements": 1,
        "headers": None,
        "parameters": None,
        "data": None,
        "payload": None,
        "image_scaling_factors": [None],
    }
    return building.RequestData(**{**fields, **sent})


def _method(name: str) -> Any:
    return function("http.utils.executors.RequestMethod")[name]


def _answer(response: Any) -> Any:
    return [response.status_code, response.content.decode("latin-1")]


def one_request(method: str, sent: dict[str, Any], answer: dict[str, Any], stage: Stage) -> Any:
    stage.answer({"*": [answer]})
    send = function("http.utils.executors.make_request")
    return tried(lambda: _answer(send(_request(stage, sent), _method(method))))


def packages(method: str, sent: dict[str, Any], answer: dict[str, Any], stage: Stage) -> Any:
    stage.answer({"*": [answer]})
    send = function("http.utils.executors.execute_requests_packages")
    requests = [_request(stage, sent)] * 2
    return tried(lambda: [_answer(r) for r in send(requests, _method(method), 1)])


def one_request_async(
    method: str, sent: dict[str, Any], answer: dict[str, Any], stage: Stage
) -> Any:
    import aiohttp

    stage.answer({"*": [answer]})
    send = function("http.utils.executors.make_request_async")

    async def run() -> Any:
        async with aiohttp.ClientSession() as session:
            return await send(_request(stage, sent), _method(method), session)

    return tried(lambda: asyncio.run(run()))


def packages_async(method: str, sent: dict[str, Any], answer: dict[str, Any], stage: Stage) -> Any:
    stage.answer({"*": [answer]})
    send = function("http.utils.executors.execute_requests_packages_async")

    async def run() -> Any:
        return await send([_request(stage, sent)] * 2, _method(method), 1)

    return tried(lambda: asyncio.run(run()))


SENDERS = (one_request, packages, one_request_async, packages_async)


def recovered(sender: Callable[..., Any], statuses: tuple[int, ...], stage: Stage) -> Any:
    answers = [{"status": status, "json": {"message": "m"}} for status in statuses]
    ask, stage.answer = stage.answer, lambda _: ask({"*": answers})
    return sender("POST", SENT["payload"], {}, stage)


def posted(answer: dict[str, Any], headers: dict[str, str] | None, stage: Stage) -> Any:
    stage.answer({"*": [answer]})
    send = function("http.utils.executors.send_post_request")
    given = {"url": f"{stage.url}/anything", "payload": {"k": 1}, "headers": headers}
    return tried(lambda: _answer(send(**given, enable_retries=False)))


def raised_for_status(answer: dict[str, Any], stage: Stage) -> Any:
    import requests

    stage.answer({"*": [answer]})
    response = requests.post(f"{stage.url}/anything?api_key={KEY}", timeout=10)
    check = function("http.utils.requests.api_key_safe_raise_for_status")
    return tried(lambda: check(response))


def every_loader() -> Iterator[tuple[str, Program]]:
    pictures = ["$jpeg", "$png", "$wide", "$array", "$grey", "$pil", "$url", BASE64]
    for picture in pictures:
        for limits in ({}, {"max_height": 32, "max_width": 32}, {"max_height": 32}):
            for form in ("load_static_inference_input", "load_static_inference_input_async"):
                yield f"{form} {picture} {limits}", partial(loaded, form, picture, limits)
    for nested in ([BASE64], [[BASE64], [BASE64, BASE64]], [], [[]], BASE64):
        yield (
            f"nested {nested}",
            partial(loaded, "load_nested_batches_of_inference_input", nested, {}),
        )
    for wrong in (None, 5, {}, b""):
        yield (
            f"loaded {wrong!r}",
            partial(loaded, "load_static_inference_input", wrong, {}),
        )
    for endings in (["jpg"], ["png", "jpg"], []):
        yield f"scanned {endings}", partial(scanned, endings)


def loaded(name: str, picture: Any, limits: dict[str, int], stage: Stage) -> Any:
    load = function(f"http.utils.loaders.{name}")
    reference = stage.values.get(picture, picture) if isinstance(picture, str) else picture

    def run() -> Any:
        given = load(reference, **limits)
        return asyncio.run(_within(given)) if asyncio.iscoroutine(given) else given

    return tried(run)


async def _within(coroutine: Any) -> Any:
    return await coroutine


def scanned(endings: list[str], stage: Stage) -> Any:
    scan = function("http.utils.loaders.load_directory_inference_input")
    folder = os.path.join(stage.folder, "endings")
    os.makedirs(folder, exist_ok=True)
    for name in ("a.jpg", "b.png", "c.jpeg", "d.txt"):
        with open("street.jpg", "rb") as picture, open(os.path.join(folder, name), "wb") as file:
            file.write(picture.read())
    return tried(
        lambda: sorted([os.path.basename(path), image] for path, image in scan(folder, endings))
    )
