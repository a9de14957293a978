"""The client's side, and the judge."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import itertools
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from tools.soak.server import MODEL

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPClientError

THREADS = 8
TASKS = 64
BATCH = 5

GROWTH = {"MB": 15.0, "threads": 8.0, "descriptors": 40.0}
"""How much more there may be in the last quarter than in the second tenth. The allocator keeps
some of what a peak needed; workers of threads and connections of tasks come and go with faults."""

Sample = dict[str, float]


class Books:
    """What was sent, and what became of it. Written by one thread each, so without locks."""

    def __init__(self) -> None:
        self.sent = self.answered = self.mixed_up = 0
        self.failed: Counter[str] = Counter()
        self.odd: Counter[str] = Counter()

    def note(self, number: int, outcome: Any) -> None:
        if isinstance(outcome, HTTPClientError):
            self.failed[type(outcome).__name__] += 1
        elif isinstance(outcome, BaseException):
            self.odd[repr(outcome)[:200]] += 1
        else:
            self.answered += 1
            self.mixed_up += outcome["top"] != str(number)

    def add(self, other: Books) -> None:
        self.sent += other.sent
        self.answered += other.answered
        self.mixed_up += other.mixed_up
        self.failed += other.failed
        self.odd += other.odd


NUMBERS = itertools.count()


def pictures(books: Books) -> dict[int, bytes]:
    """Some, each of a colour that says its number; sent, from here on."""
    numbers = [next(NUMBERS) % 65536 for _ in range(random.choice((1, 1, 1, BATCH)))]
    books.sent += len(numbers)
    return {number: picture(number) for number in numbers}


def picture(number: int) -> bytes:
    """A PNG, so that colours arrive as they are."""
    file = io.BytesIO()
    Image.new("RGB", (24, 24), (0, number % 256, number // 256)).save(file, "PNG")
    return file.getvalue()


def ask(client: InferenceHTTPClient, books: Books, end: float) -> None:
    """What one thread does."""
    while time.monotonic() < end:
        asked = pictures(books)
        try:
            outcomes = list(client.infer_many(asked.values(), MODEL, on_error="return"))
        except Exception as error:  # whatever it is: it is counted, and judged in the end
            outcomes = [error] * len(asked)
        for number, outcome in zip(asked, outcomes, strict=True):
            books.note(number, outcome)


async def ask_async(client: InferenceHTTPClient, books: Books, end: float) -> None:
    """What one task does."""
    while time.monotonic() < end:
        asked = pictures(books)
        calls = [client.infer_async(picture, MODEL) for picture in asked.values()]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        for number, outcome in zip(asked, outcomes, strict=True):
            books.note(number, outcome)


async def ask_by_tasks(client: InferenceHTTPClient, books: list[Books], end: float) -> None:
    await asyncio.gather(*(ask_async(client, one, end) for one in books))
    await client.aclose()


def sample() -> Sample:
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return {
        "MB": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


@contextmanager
def faulty_server() -> Iterator[str]:
    command = [sys.executable, "-m", "tools.soak.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def run(seconds: float) -> tuple[Books, list[Sample]]:
    books = [Books() for _ in range(THREADS + TASKS)]
    total = Books()
    with faulty_server() as url, InferenceHTTPClient(url, "key") as plain:
        client = plain.with_options(read_timeout=1.0, max_tries=2, retry_backoff=0.05)
        end = time.monotonic() + seconds
        work: list[Callable[[], Any]] = [
            lambda one=one: ask(client, one, end) for one in books[:THREADS]
        ]
        work.append(lambda: asyncio.run(ask_by_tasks(client, books[THREADS:], end)))
        threads = [threading.Thread(target=each) for each in work]
        for thread in threads:
            thread.start()
        samples = watch(seconds)
        for thread in threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a call hangs"
    for one in books:
        total.add(one)
    return total, samples


def watch(seconds: float) -> list[Sample]:
    """20 samples over the time."""
    samples = []
    for _ in range(20):
        time.sleep(seconds / 23)
        samples.append(sample())
        shown = ", ".join(f"{value:.0f} {name}" for name, value in samples[-1].items())
        print(shown, flush=True)
    return samples


def judge(books: Books, samples: list[Sample]) -> list[str]:
    wrong = []
    failed = sum(books.failed.values())
    if books.sent != books.answered + failed or books.odd:
        wrong.append(f"{books.sent} sent, {books.answered} answered, {failed} failed; {books.odd}")
    if books.mixed_up:
        wrong.append(f"{books.mixed_up} answers belong to other pictures")
    if not failed or books.answered < 100:
        wrong.append("too little happened to say anything")
    for name, allowed in GROWTH.items():
        begin = statistics.median(each[name] for each in samples[2:7])
        late = statistics.median(each[name] for each in samples[-5:])
        if late > begin + allowed:
            wrong.append(f"{name} grew from {begin:.0f} to {late:.0f}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    books, samples = run(parser.parse_args().seconds)
    print(f"{books.sent} sent = {books.answered} answered + {sum(books.failed.values())} failed")
    print(dict(books.failed))
    wrong = judge(books, samples)
    print(*(f"WRONG: {line}" for line in wrong), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
