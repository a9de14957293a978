"""A job on its way: what is left to ask, answers to disk, and the end.

The order of things is what makes it safe: an answer is one line, written once, after all that is
saved beside it; a target of another form is made of the lines at the end, and put in its place
whole. So whatever moment a run dies at, the next one reads the lines and goes on.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from inference_sdk.batch import log
from inference_sdk.batch.errors import (
    ServerLostError,
    SourceError,
    TargetError,
    TooManyFailuresError,
)
from inference_sdk.batch.failures import failure, is_fault_of_server, reason_of
from inference_sdk.batch.items import Deferred, Item, digest_of
from inference_sdk.batch.journal import Journal, State
from inference_sdk.batch.reordering import drop_failures, reorder
from inference_sdk.batch.resuming import Listing, refuse_another_job, refuse_another_source
from inference_sdk.batch.sources import Source
from inference_sdk.batch.summary import Progress, Summary, Tally
from inference_sdk.batch.target import Target
from inference_sdk.http.errors import EncodingError

LOST_AFTER = 20
"""Failures in a row, all the server's, after which the rest is not tried."""

LOST_AT_THE_END = 3
"""Fewer are enough where nothing comes after them."""

NOTED_EVERY = 1.0
"""Seconds between two notes of how far the source was read."""


@dataclass(frozen=True)
class Options:
    """How a job is run.

    Attributes:
        ordered: whether answers are written in the order of the source.
        restart: drop what there is of the job, and ask for everything again.
        proceed: keep the answers that are there though the job has changed.
        retry_failed: ask again for what failed.
        max_failures: how many may fail; None for any number.
        stop: asked before each picture; true ends the run once what is under way is done.
        report: called after each picture, quickly.
    """

    ordered: bool = True
    restart: bool = False
    proceed: bool = False
    retry_failed: bool = False
    max_failures: int | None = None
    stop: Callable[[], bool] | None = None
    report: Callable[[Progress], None] | None = None


class Job:
    """One run of a job; a context manager that holds the target's lock."""

    def __init__(
        self, source: Source, target: Target, asked: Mapping[str, Any], options: Options
    ) -> None:
        self._source = source
        self._target = target
        self._options = options
        self._described = {**asked, "source": source.description, "output": target.description}
        self._journal = Journal(target.journal)
        self._tally = Tally()
        self._done: set[int] = set()
        self._handed_over: set[int] = set()
        self._order = array("Q")
        self._listing = Listing()
        self._listed = False
        self._given = self._asked = 0
        self._lost: list[tuple[Item, Exception]] = []
        self._started = self._noted = time.monotonic()

    def __enter__(self) -> Job:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Look at all that can be wrong before the first picture, and open the target.

        Raises:
            SourceError, TargetError: it is.
        """
        if next(self._source.units(), None) is None:
            raise SourceError(f"There is no picture in {self._source.name}.")
        self._target.refuse_to_write_into(self._source.folders)
        self._target.check()
        self._journal.open()
        try:
            self._state = self._resume()
            self._log = log.Log(self._target.lines, self._end)
        except BaseException:
            self._journal.close()
            raise

    def close(self) -> None:
        """Give the target back; what is written stays, and what is not is as if never begun."""
        self._log.close()
        if self._end or self._asked:
            with suppress(TargetError):  # the lines are what counts; this is a note beside them
                self._note()
        else:
            self._target.forget()
        self._journal.close()

    # -- what is there already -------------------------------------------------------------

    def _resume(self) -> State:
        self._end = 0
        state = self._journal.state
        if state is None or self._options.restart:
            if state is None:
                self._target.refuse_what_is_not_ours()
            self._target.clear()
            state = State(self._described, disordered=not self._options.ordered)
        else:
            state = self._take_over(state)
        self._journal.save(state)
        return state

    def _take_over(self, state: State) -> State:
        if not self._options.proceed:
            refuse_another_job(state, self._described)
            refuse_another_source(state, self._source)
        more = self._options.proceed or self._options.retry_failed
        if self._options.retry_failed:
            drop_failures(self._target.lines)
        for line in log.read_lines(self._target.lines):
            self._done.add(digest_of(log.id_of(line.record)))
            self._tally.count(line.record)
            self._end = line.offset + line.length
        return replace(
            state,
            job=self._described,
            disordered=state.disordered or more or not self._options.ordered,
            finished=state.finished and not more,
        )

    # -- what is left to ask ---------------------------------------------------------------

    def pending(self) -> Iterator[Item]:
        """Pictures without an answer, in the order of the source.

        Raises:
            SourceError: the source breaks off, or has an id twice.
        """
        for unit in self._source.units():
            self._listing.add(unit)
            for item in unit.items():
                digest = digest_of(item.id)
                self._order.append(digest)
                if digest in self._done:
                    continue
                if self._options.stop is not None and self._options.stop():
                    return
                if not self._source.unique:
                    self._refuse_twice(item, digest)
                self._given += 1
                yield _made(item)
        self._listed = True

    def _refuse_twice(self, item: Item, digest: int) -> None:
        if digest in self._handed_over:
            raise SourceError(f"{item.id!r} is twice in {self._source.name}. Ids must be unique.")
        self._handed_over.add(digest)

    # -- what comes back -------------------------------------------------------------------

    def take(self, item: Item, answer: Any) -> None:
        """Write what became of a picture.

        Raises:
            TargetError: it cannot be written.
            ServerLostError: this is one failure too many in a row that are the server's.
            TooManyFailuresError: this is one failure more than may be.
        """
        if is_fault_of_server(answer):
            # Held back: if the server is gone, these have not failed, but were not tried.
            self._lost.append((item, answer))
            if len(self._lost) >= LOST_AFTER:
                raise self._server_is_lost()
            return
        self._write_held_back()
        self._write(item, answer)

    def _write_held_back(self) -> None:
        lost, self._lost = self._lost, []
        for item, answer in lost:
            self._write(item, answer)

    def _write(self, item: Item, answer: Any) -> None:
        record, line = self._line(item, answer)
        self._log.append(line)
        self._tally.count(record)
        self._asked += 1
        if self._options.report is not None:
            self._options.report(self.progress())
        if time.monotonic() - self._noted >= NOTED_EVERY:
            self._note()
        limit = self._options.max_failures
        if "error" in record and limit is not None and self._tally.failed > limit:
            raise TooManyFailuresError(
                f"{self._tally.failed} pictures failed, and max_failures is {limit}. The last: "
                f"{item.image}: {record['error']}"
            )

    def _line(self, item: Item, answer: Any) -> tuple[log.Record, bytes]:
        if not isinstance(answer, Exception):
            try:
                self._target.save_beside(item, answer)
                record = _record(item, {"result": answer})
                return record, log.encode(record)
            except (EncodingError, TypeError, ValueError, KeyError) as error:
                answer = error  # JSON cannot hold it, or it cannot be drawn
        record = _record(item, failure(answer, item.reference))
        return record, log.encode(record)

    def _server_is_lost(self) -> ServerLostError:
        item, error = self._lost[-1]
        return ServerLostError(
            f"{len(self._lost)} pictures in a row failed for the server's sake, and the rest was "
            f"not tried: {reason_of(error, item.reference)} The same call goes on."
        )

    # -- the end ---------------------------------------------------------------------------

    def finish(self) -> Summary:
        """Complete the target, if every picture has its line, and say how it went.

        Raises:
            SourceError: there was no picture in the source.
            ServerLostError: the last pictures failed for the server's sake.
            TargetError: the target cannot be written; all answers are kept.
        """
        if len(self._lost) >= LOST_AT_THE_END or (self._lost and not self._asked):
            raise self._server_is_lost()
        self._write_held_back()
        if self._listed and not self._order:
            raise SourceError(f"There is no picture in {self._source.name}.")
        self._log.sync()
        misplaced = self._state.disordered and self._options.ordered
        finished = self._state.finished and not self._asked and self._target.is_there
        if self._listed and (misplaced or not finished):
            if misplaced:
                reorder(self._target.lines, self._order)
                self._state = replace(self._state, disordered=False)
            self._target.complete()
            self._state = replace(self._state, finished=True)
        return Summary(
            target=self._target.name,
            complete=self._listed,
            answered=self._tally.answered,
            failed=self._tally.failed,
            asked=self._asked,
            reasons=self._tally.reasons,
            seconds=time.monotonic() - self._started,
        )

    def progress(self) -> Progress:
        """How it goes."""
        return Progress(
            done=self._tally.answered + self._tally.failed,
            failed=self._tally.failed,
            asked=self._asked,
            in_flight=self._given - self._asked,
            listed=len(self._order),
            complete_listing=self._listed,
            seconds=time.monotonic() - self._started,
        )

    def _note(self) -> None:
        """Write how far the source was read. Never less than before: a stop lists less."""
        self._noted = time.monotonic()
        if self._listed or self._listing.units > self._state.units:
            self._state = replace(
                self._state,
                units=self._listing.units,
                digest=self._listing.digest,
                listed=self._listed or self._state.listed,
            )
        self._journal.save(self._state)


def _made(item: Item) -> Item:
    if isinstance(item.reference, Deferred):
        return replace(item, reference=item.reference.load())
    return item


def _record(item: Item, outcome: Mapping[str, Any]) -> log.Record:
    named = {} if item.id == item.image else {"id": item.id}
    return {"image": item.image, **named, **item.place, **outcome}
