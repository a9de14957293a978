"""Pictures of several requests, run through a network at once.

Nobody waits for company: a picture that finds the network free is run at once, and what comes
meanwhile is the next batch. So a picture waits for one run at most beside its own. Whether a
batch pays is a matter of the machine: on a CPU seldom, on a GPU nearly always. It is tried when
the model is loaded, and where it does not, pictures are run each for itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Outputs = list[NDArray[Any]]
    Run = Callable[[NDArray[Any]], Outputs]

MOST = 8
"""Pictures of one run, where the network takes any number."""

WORTH_IT = 0.85
"""Of the time that pictures take one by one: with less to win, each is better off alone."""

TOO_SLOW_TO_TRY = 0.25
"""Seconds of one picture: a network that fills the machine so long gains nothing by more."""


class Batcher:
    """Runs pictures together; one run at a time.

    Args:
        run: from pictures (N, …) to outputs whose first axis is N.
        most: pictures of one run.
    """

    def __init__(self, run: Run, most: int = MOST) -> None:
        self._run = run
        self._most = most
        self._changed = threading.Condition()
        self._waiting: list[_Job] = []
        self._busy = False

    def __call__(self, picture: NDArray[Any]) -> Outputs:
        """The outputs for one picture, without the batch axis; called from any thread."""
        job = _Job(picture)
        with self._changed:
            self._waiting.append(job)
        while not job.done:
            self._run_together(self._turn(job))
        return job.result()

    def _turn(self, job: _Job) -> list[_Job]:
        """What is to be run once the network is free: nothing when `job` is done by then.

        Otherwise those that have waited longest, whether `job` is one of them or not.
        """
        with self._changed:
            self._changed.wait_for(lambda: job.done or not self._busy)
            return [] if job.done else self._take()

    def _take(self) -> list[_Job]:
        self._busy = True
        taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        return taken

    def _run_together(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        try:
            outputs = self._run(np.stack([job.picture for job in jobs]))
            for place, job in enumerate(jobs):
                job.outputs = [output[place] for output in outputs]
        except BaseException as error:  # noqa: BLE001 - it belongs to all who wait for this run
            for job in jobs:
                job.error = error
        finally:
            with self._changed:
                for job in jobs:
                    job.done = True
                self._busy = False
                self._changed.notify_all()


class _Job:
    def __init__(self, picture: NDArray[Any]) -> None:
        self.picture = picture
        self.outputs: Outputs = []
        self.error: BaseException | None = None
        self.done = False

    def result(self) -> Outputs:
        if self.error is not None:
            raise self.error
        return self.outputs


def pays(run: Run, picture: NDArray[Any], clock: Callable[[], float] = time.perf_counter) -> bool:
    """Whether pictures run together take clearly less time than one after the other."""

    def seconds(count: int) -> float:
        batch = np.repeat(picture[None], count, axis=0)
        started = clock()
        run(batch)
        return clock() - started

    alone = seconds(1)
    if alone > TOO_SLOW_TO_TRY:
        return False
    seconds(MOST)  # the first of a size makes room in memory for all others
    alone = min(alone, seconds(1))
    together = min(seconds(MOST), seconds(MOST))
    return together / MOST < alone * WORTH_IT
