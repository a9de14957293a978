"""The command `infer`: pictures through a model, and what became of each.

A picture that fails costs only itself; a server that is gone ends the run.
"""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference_sdk.cli.failures import ExitCode, is_fault_of_server, one_line, require
from inference_sdk.cli.inputs import Source, Target, find_sources, label, plan_targets
from inference_sdk.cli.interrupts import run_interruptibly
from inference_sdk.cli.reports import FindingsTable, JSONLines, Outcome, Report, progress_console
from inference_sdk.cli.servers import server_address
from inference_sdk.cli.terminal import say, spinner
from inference_sdk.http.errors import EncodingError, HTTPClientError
from inference_sdk.http.operations.loading import describe
from inference_sdk.http.utils.file_reading import read_file

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from inference_sdk.http.client import InferenceHTTPClient

    Outcomes = AsyncGenerator[tuple[Outcome, HTTPClientError | None], None]

LOST_AFTER = 3
"""Failures in a row, all the server's, after which the rest is not tried: each costs seconds."""


@dataclass(frozen=True)
class InferOptions:
    """What the command line says; None leaves a setting to the client or the server."""

    images: Sequence[str]
    model_id: str
    api_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    confidence: float | str | None = None
    save: Path | None = None
    json: bool = False
    concurrency: int | str = 4


def infer(options: InferOptions, console: Console) -> ExitCode:
    """Run the command; `console` is standard error.

    Raises:
        CommandError: the command cannot be carried out as given.
        HTTPClientError: the server is out of reach, or refused before the first picture.
    """
    # The picture that one is about is not in it, and standard error is for whoever watches.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    sources = find_sources(options.images, partial(say, console))
    targets: list[Target] | None = None
    if options.save is not None:
        require("supervision", extra="viz", purpose="--save")
        targets = plan_targets(options.save, sources)
    report: Report = JSONLines() if options.json else FindingsTable()
    tally = _Tally(len(sources))
    shown = progress_console(console, options.json)
    status = shown.status(tally.progress, spinner=spinner(shown))
    try:
        with server_address(options.api_url) as address, status:
            outcomes = _outcomes(options, address, sources, targets)
            # Async, since Ctrl+C then ends the requests under way; threads would wait for them.
            run_interruptibly(_report_all(outcomes, report, tally, status))
    finally:
        report.finish()  # after Ctrl+C too: what is known so far has been paid for
    for line in tally.failures if not options.json else []:
        say(console, line, style="red")
    say(console, tally.summary)
    return tally.exit_code


async def _report_all(outcomes: Outcomes, report: Report, tally: _Tally, status: Status) -> None:
    async with aclosing(outcomes):
        async for outcome, error in outcomes:
            report.add(outcome)
            tally.count(outcome, error)
            status.update(tally.progress)
            if tally.server_is_lost:
                break


def _client(options: InferOptions, address: str) -> InferenceHTTPClient:
    from inference_sdk.http.client import InferenceHTTPClient

    return InferenceHTTPClient(address, options.api_key).with_options(
        confidence_threshold=options.confidence, max_concurrent_requests=options.concurrency
    )


async def _outcomes(
    options: InferOptions,
    address: str,
    sources: Sequence[Source],
    targets: Sequence[Target] | None,
) -> Outcomes:
    """What became of each picture, in order, and the error where there was one."""
    # A list, and not a generator: the client need not fear that the next item takes its time.
    references: list[Any] = list(sources) if targets is None else list(map(_Picture, sources))
    async with _client(options, address) as client:
        answers: AsyncIterator[Any] = client.infer_many_async(
            references, options.model_id, on_error="return"
        )
        numbers = count()
        async for answer in answers:
            index = next(numbers)
            image, reference = label(sources[index]), references[index]
            references[index] = None  # a picture that was read is forgotten with its answer
            if isinstance(answer, HTTPClientError):
                yield Outcome(image, error=_reason(answer, reference)), answer
            elif targets is None:
                yield Outcome(image, answer), None
            else:
                yield await asyncio.to_thread(reference.draw, image, answer, targets[index]), None


def _reason(error: HTTPClientError, reference: Any) -> str:
    """What an error says, without the place of its input: each is reported with its image."""
    return one_line(error).replace(f"inputs[{error.input_index}] ({describe(reference)}): ", "", 1)


class _Picture:
    """A picture that is read once: what is sent is what is drawn on. The client calls `read`."""

    def __init__(self, source: Source) -> None:
        self.name = label(source)
        self._source = source
        self._content = b""

    def read(self) -> bytes:
        if isinstance(self._source, Path):
            self._content = read_file(os.fspath(self._source))
        else:
            from inference_sdk.http.utils.encoding import decode_base_64
            from inference_sdk.http.utils.loaders import load_image_from_url

            self._content = decode_base_64(load_image_from_url(self._source)[0])
        return self._content

    def draw(self, image: str, result: Any, target: Target) -> Outcome:
        """Write the picture with the result on it."""
        from inference_sdk.viz.drawing import draw_result

        try:
            draw_result(self._content, result, target.path, target.encoding)
        except (EncodingError, OSError, KeyError, TypeError, ValueError) as error:
            # The latter three: supervision met an answer of a shape it does not know.
            lacks = isinstance(error, KeyError)
            reason = f"the answer has no {error}." if lacks else one_line(error)
            return Outcome(image, error=f"The annotated picture was not written: {reason}")
        return Outcome(image, result, picture=label(target.path))


class _Tally:
    """How a run goes, and what its exit code will be."""

    def __init__(self, images: int) -> None:
        self.failures: list[str] = []
        self._images = images
        self._done = 0
        self._lost_in_a_row = 0
        self._started = time.perf_counter()

    def count(self, outcome: Outcome, error: HTTPClientError | None) -> None:
        self._done += 1
        lost = error is not None and is_fault_of_server(error)
        self._lost_in_a_row = self._lost_in_a_row + 1 if lost else 0
        if outcome.error is not None:
            self.failures.append(f"{outcome.image}: {outcome.error}")

    @property
    def server_is_lost(self) -> bool:
        return self._lost_in_a_row >= min(LOST_AFTER, self._images)

    @property
    def progress(self) -> str:
        return f"{self._done} of {self._images} images"

    @property
    def summary(self) -> str:
        seconds = time.perf_counter() - self._started
        images = "1 image" if self._done == 1 else f"{self._done} images"
        failed = f", {len(self.failures)} failed" if self.failures else ""
        left = self._images - self._done
        rest = f"; {left} not tried, for the server is lost" if left else ""
        return f"{images} in {seconds:.1f} s{failed}{rest}."

    @property
    def exit_code(self) -> ExitCode:
        if self.server_is_lost:
            return ExitCode.FAILED
        return ExitCode.SOME_FAILED if self.failures else ExitCode.OK
