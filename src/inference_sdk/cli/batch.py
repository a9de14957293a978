"""The command `batch`: a big job over one server or several, whose answers are on disk, once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inference_sdk.batch import (
    BatchError,
    ServerLostError,
    Summary,
    TooManyFailuresError,
    run,
)
from inference_sdk.batch.summary import Progress
from inference_sdk.cli.failures import CommandError, ExitCode, one_line
from inference_sdk.cli.reports import write_json_line
from inference_sdk.cli.servers import server_address
from inference_sdk.cli.terminal import say

if TYPE_CHECKING:
    from rich.console import Console

    from inference_sdk.http.client import InferenceHTTPClient

SHOWN_EVERY = 0.2
"""Seconds between two states of the line on a terminal."""

TOLD_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


@dataclass(frozen=True)
class BatchOptions:
    """What the command line says.

    Attributes:
        job: arguments of `inference_sdk.batch.run` but the client.
        json: write the summary as JSON to standard output.
    """

    sources: Sequence[str]
    out: str
    job: dict[str, Any]
    api_url: Sequence[str] = ()
    api_key: str | None = field(default=None, repr=False)
    confidence: float | str | None = None
    concurrency: int | str = "auto"
    json: bool = False


def batch(options: BatchOptions, console: Console) -> ExitCode:
    """Run the command; `console` is standard error.

    Raises:
        CommandError: source, target or options will not do, or the server is out of reach.
    """
    shown = _Shown(console)
    try:
        with server_address(options.api_url[0] if options.api_url else None) as address:
            client = _client(options, list(options.api_url) or address)
            with client, _stopped_by_signals(console) as stopped:
                summary = run(
                    options.sources[0] if len(options.sources) == 1 else list(options.sources),
                    options.out,
                    client=client,
                    stop=stopped.is_set,
                    report=shown.update,
                    **options.job,
                )
    except BatchError as error:
        raise CommandError(one_line(error), _code_of(error)) from error
    finally:
        shown.end()
    return _tell(summary, options, console)


def _client(options: BatchOptions, address: str | list[str]) -> InferenceHTTPClient:
    from inference_sdk.http.client import InferenceHTTPClient

    return InferenceHTTPClient(address, options.api_key).with_options(
        confidence_threshold=options.confidence, max_concurrent_requests=options.concurrency
    )


def _code_of(error: BatchError) -> ExitCode:
    if isinstance(error, ServerLostError):
        return ExitCode.FAILED
    if isinstance(error, TooManyFailuresError):
        return ExitCode.SOME_FAILED
    return ExitCode.USAGE


def _tell(summary: Summary, options: BatchOptions, console: Console) -> ExitCode:
    for line in str(summary).splitlines():
        say(console, line)
    if options.json:
        write_json_line(
            {
                "target": summary.target,
                "complete": summary.complete,
                "answered": summary.answered,
                "failed": summary.failed,
                "asked": summary.asked,
                "seconds": round(summary.seconds, 3),
                "reasons": [{"reason": r, "count": n} for r, n in summary.reasons],
            }
        )
    if not summary.complete:
        return ExitCode.INTERRUPTED
    return ExitCode.SOME_FAILED if summary.failed else ExitCode.OK


@contextmanager
def _stopped_by_signals(console: Console) -> Iterator[threading.Event]:
    """The first Ctrl+C (or SIGTERM) lets what is under way be written, the second ends it now."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        say(console, "Finishing what is under way; the same command goes on. Again: stop now.")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Shown:
    """Progress: a line that changes on a terminal, else a line a minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._every = SHOWN_EVERY if console.is_terminal else TOLD_EVERY
        self._told = time.monotonic()
        self._status = console.status("Listing …") if console.is_terminal else None
        if self._status is not None:
            self._status.start()

    def update(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told < self._every:
            return
        self._told = now
        if self._status is not None:
            self._status.update(told(progress))
        else:
            say(self._console, told(progress))

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()


def told(progress: Progress) -> str:
    """How a job goes, in a line."""
    more = "" if progress.complete_listing else "+"
    left = progress.listed - progress.done
    rest = (
        f", {left / progress.rate:.0f} s left"
        if progress.complete_listing and progress.rate
        else ""
    )
    return (
        f"{progress.done} of {progress.listed}{more}, {progress.failed} failed, "
        f"{progress.in_flight} in flight, {progress.rate:.1f} a second{rest}"
    )
