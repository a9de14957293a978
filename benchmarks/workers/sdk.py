"""Measures an `inference_sdk`, whichever is installed: 1.1, 1.8 and ours are used alike.

Only what 1.1 documents is called, but for `infer_many`, which is ours alone.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from measuring import arguments, time_calls, time_calls_async

from inference_sdk import InferenceConfiguration, InferenceHTTPClient

MODEL = "coco/3"
AT_ONCE = 8
FAR_AT_ONCE = 32
BATCH = 4
THREADS = 16
POLYGONS = 10_000
WORKFLOW = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}


class Scenario:
    """What the measured calls share: the client, its pictures, and where they are sent."""

    def __init__(self, url: str, pictures: Path, count: int) -> None:
        self.url, self.count = url, count
        self.paths = [str(path) for path in sorted(pictures.glob("*.jpg"))]
        self.array_file = pictures / "picture.npy"

    def client(self, *, v0: bool = False, batch: int = 1, at_once: Any = 1) -> InferenceHTTPClient:
        url = f"{self.url}/batch/{batch}" if batch > 1 else self.url
        client = InferenceHTTPClient(api_url=url, api_key="benchmark-key")
        client.configure(
            InferenceConfiguration(max_batch_size=batch, max_concurrent_requests=at_once)
        )
        return client.select_api_v0() if v0 else client.select_api_v1()

    def path(self, number: int) -> str:
        return self.paths[number % len(self.paths)]

    def array(self) -> Any:
        import numpy as np

        return np.load(self.array_file)

    # -- one call after the other --------------------------------------------------------------

    def one(self, client: InferenceHTTPClient) -> Callable[[int], bool]:
        return lambda number: checked(client.infer(self.path(number), model_id=MODEL))

    def one_async(self, client: InferenceHTTPClient) -> Callable[[int], Awaitable[bool]]:
        async def call(number: int) -> bool:
            return checked(await client.infer_async(self.path(number), model_id=MODEL))

        return call

    def each(self, *, v0: bool = False) -> None:
        time_calls(self.one(self.client(v0=v0)), self.count)

    def each_async(self, *, v0: bool = False) -> None:
        time_calls_async(self.one_async(self.client(v0=v0)), self.count)

    def each_array(self) -> None:
        client, array = self.client(), self.array()
        time_calls(lambda _: checked(client.infer(array, model_id=MODEL)), self.count)

    def workflow(self) -> None:
        client = self.client()

        def call(number: int) -> None:
            images = {"image": self.path(number)}
            outputs = client.run_workflow(specification=WORKFLOW, images=images)
            checked(outputs[0]["predictions"])

        time_calls(call, self.count)

    def workflow_async(self) -> None:
        client = self.client()

        async def call(number: int) -> None:
            images = {"image": self.path(number)}
            outputs = await client.run_workflow_async(specification=WORKFLOW, images=images)
            checked(outputs[0]["predictions"])

        time_calls_async(call, self.count)

    def polygons(self) -> None:
        self.url += "/polygons"
        client = self.client()

        def call(number: int) -> None:
            result = client.infer(self.path(number), model_id=MODEL)
            check_count([True] * len(result["predictions"]), POLYGONS)

        time_calls(call, self.count)

    def polygons_async(self) -> None:
        self.url += "/polygons"
        client = self.client()

        async def call(number: int) -> None:
            result = await client.infer_async(self.path(number), model_id=MODEL)
            check_count([True] * len(result["predictions"]), POLYGONS)

        time_calls_async(call, self.count)

    # -- one call for all, some at once --------------------------------------------------------

    def inputs(self, *, arrays: bool) -> list[Any]:
        if arrays:
            return [self.array()] * self.count
        return [self.path(number) for number in range(self.count)]

    def together(self, *, batch: int = 1, arrays: bool = False, at_once: Any = AT_ONCE) -> None:
        inputs, client = self.inputs(arrays=arrays), self.client(batch=batch, at_once=at_once)

        def call(_: int) -> None:
            results = client.infer(inputs, model_id=MODEL)
            check_count([checked(result) for result in results], self.count)

        time_calls(call, 1, warm_up=self.one(self.client() if batch > 1 else client))

    def together_async(
        self, *, batch: int = 1, arrays: bool = False, at_once: Any = AT_ONCE
    ) -> None:
        inputs, client = self.inputs(arrays=arrays), self.client(batch=batch, at_once=at_once)

        async def call(_: int) -> None:
            results = await client.infer_async(inputs, model_id=MODEL)
            check_count([checked(result) for result in results], self.count)

        time_calls_async(call, 1, warm_up=self.one_async(self.client() if batch > 1 else client))

    def threads(self) -> None:
        client = self.client()
        one = self.one(client)

        def call(_: int) -> None:
            check_count(list(threads.map(one, range(self.count))), self.count)

        with ThreadPoolExecutor(THREADS) as threads:
            time_calls(call, 1, warm_up=one)

    def many(self) -> None:
        inputs, client = self.inputs(arrays=False), self.client(at_once=AT_ONCE)

        def call(_: int) -> None:
            taken = [checked(result) for result in client.infer_many(inputs, MODEL)]
            check_count(taken, self.count)

        time_calls(call, 1, warm_up=self.one(client))

    def many_async(self) -> None:
        inputs, client = self.inputs(arrays=False), self.client(at_once=AT_ONCE)

        async def call(_: int) -> None:
            taken = [checked(r) async for r in client.infer_many_async(inputs, MODEL)]
            check_count(taken, self.count)

        time_calls_async(call, 1, warm_up=self.one_async(client))


def checked(result: dict[str, Any]) -> bool:
    """Forget a result, having seen that it is one: a fast wrong answer is worth nothing."""
    if len(result["predictions"]) != 2:
        sys.exit("An answer is not the one that the server gave.")
    return True


def check_count(taken: list[bool], count: int) -> None:
    if len(taken) != count:
        sys.exit(f"There are {len(taken)} results for {count} pictures.")


SCENARIOS: dict[str, Callable[[Scenario], Awaitable[None] | None]] = {
    "v1": Scenario.each,
    "v1-async": Scenario.each_async,
    "v0": lambda scenario: scenario.each(v0=True),
    "v0-async": lambda scenario: scenario.each_async(v0=True),
    "array": Scenario.each_array,
    "workflow": Scenario.workflow,
    "workflow-async": Scenario.workflow_async,
    "together": Scenario.together,
    "together-async": Scenario.together_async,
    "batches": lambda scenario: scenario.together(batch=BATCH),
    "batches-async": lambda scenario: scenario.together_async(batch=BATCH),
    "arrays": lambda scenario: scenario.together(arrays=True),
    "arrays-async": lambda scenario: scenario.together_async(arrays=True),
    "together-32": lambda scenario: scenario.together(at_once=FAR_AT_ONCE),
    "together-32-async": lambda scenario: scenario.together_async(at_once=FAR_AT_ONCE),
    "together-auto": lambda scenario: scenario.together(at_once="auto"),
    "together-auto-async": lambda scenario: scenario.together_async(at_once="auto"),
    "polygons": Scenario.polygons,
    "polygons-async": Scenario.polygons_async,
    "threads": Scenario.threads,
    "many": Scenario.many,
    "many-async": Scenario.many_async,
}


if __name__ == "__main__":
    chosen = arguments()
    SCENARIOS[chosen.scenario](Scenario(chosen.url, chosen.pictures, chosen.count))
