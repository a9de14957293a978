"""How a job goes, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COMMONEST = 10

_MOST_REASONS = 1000
"""Reasons counted apart; of a million failures each could have its own."""


@dataclass(frozen=True)
class Progress:
    """How a job goes.

    Attributes:
        done: pictures with an answer or a failure on disk, those of earlier runs too.
        failed: those of them that failed.
        asked: pictures done in this run.
        in_flight: pictures handed to the client, without an answer yet.
        listed: pictures of the source found so far; all, once `complete_listing`.
        complete_listing: whether the source is listed to its end.
        seconds: since the run began.
    """

    done: int
    failed: int
    asked: int
    in_flight: int
    listed: int
    complete_listing: bool
    seconds: float

    @property
    def rate(self) -> float:
        """Pictures a second in this run."""
        return self.asked / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class Summary:
    """How a job went.

    Attributes:
        target: where the answers are.
        complete: whether every picture of the source has an answer or a failure; False after
            a stop, when the same call goes on.
        answered: pictures with an answer, those of earlier runs too.
        failed: pictures that failed, likewise.
        asked: pictures that this run asked for.
        reasons: the commonest reasons of failures, with their counts.
        seconds: that this run took.
    """

    target: str
    complete: bool
    answered: int
    failed: int
    asked: int
    reasons: tuple[tuple[str, int], ...]
    seconds: float

    def __str__(self) -> str:
        pictures = self.answered + self.failed
        state = "" if self.complete else " so far; the same call goes on"
        told = (
            f"{self.answered} of {pictures} pictures answered, {self.failed} failed{state} "
            f"({self.asked} asked in {self.seconds:.1f} s). {self.target}"
        )
        return "\n".join([told, *(f"  {count} x {reason}" for reason, count in self.reasons)])


class Tally:
    """Counts lines as they are written or read."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed = 0
        self._reasons: Counter[str] = Counter()

    def count(self, record: Mapping[str, Any]) -> None:
        if "error" not in record:
            self.answered += 1
            return
        self.failed += 1
        # The picture's own name would make each reason another.
        reason = record["error"].replace(record["image"], "…")
        reason = f"{record.get('error_class', 'Error')}: {reason}"
        if len(self._reasons) < _MOST_REASONS or reason in self._reasons:
            self._reasons[reason] += 1

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        return tuple(self._reasons.most_common(COMMONEST))
