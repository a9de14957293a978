"""How long a job takes when nothing of ours waits: what every delay is measured against.

From delays alone, a client that comes to a busy server cannot tell others' jobs from a server
that batches: either way its own take longer the more it sends, and more bring more. Two answers:

- The base is the least of the last epochs, no older. A server may become slower, and who came late
  never saw it idle. The window dips now and then, for one epoch, to less than fills the server
  (BBR's PROBE_RTT, made shallow), and clients that share a server see each other's dips. So they
  come to one figure, and by it to like windows.
- A server that batches would look slow by that figure. So where slow start saw the rate grow with
  the window and then stop short, the delay of the last level that paid is the base: a loan, taken
  back when a window that dips loses less than it should, or when jobs take far longer than then.
"""

from __future__ import annotations

from collections import deque

from inference_sdk.http.concurrency.measure import PAYS, Measure

SOON, SELDOM = 4, 16
"""Epochs from dip to dip: doubled up to `SELDOM` while dips show nothing new. A dip costs less than
a third of an epoch's throughput, so 2 % in all."""

REMEMBERED = SELDOM + 2
"""Epochs, so that there is always a dip among them."""

NEWS = 0.9
"""Of the least known: below it a dip showed that the server is faster than it seemed."""

OUTGROWN = 1.5
"""Times a loan: from there on others wait at the server too, or it became slower."""


class Base:
    """Seconds of a job that waits for no other, and when to dip to learn them.

    Args:
        seconds: as slow start found them; None where it did not.
        lent: whether they are those of a large window that paid.
    """

    def __init__(self, seconds: float | None, *, lent: bool) -> None:
        self._recent: deque[float] = deque([seconds] if seconds else [], maxlen=REMEMBERED)
        self._loan = seconds if lent else None
        self._doubts = 0
        self._interval = 1 if lent else SOON
        self._since_dip = 0

    @property
    def seconds(self) -> float:
        return self._loan or min(self._recent)

    def learn(self, measure: Measure) -> None:
        self._recent.append(measure.seconds)
        self._since_dip += 1

    def change(self) -> float:
        """By which part the last two epochs differ: what of a delay may be mere chance."""
        if len(self._recent) < 2:
            return 0.0
        return abs(self._recent[-1] / self._recent[-2] - 1)

    @property
    def dip_due(self) -> bool:
        return self._since_dip >= self._interval

    def dipped(self, full: Measure, dip: Measure) -> None:
        """Learn from an epoch at a smaller window, beside the one before."""
        news = dip.seconds < NEWS * min(self._recent)
        self._interval = SOON if news else min(2 * self._interval, SELDOM)
        self._recent.append(dip.seconds)
        self._since_dip = 0
        self._judge_loan(full, dip)
        if self._loan and self._doubts:
            self._interval = 1

    def _judge_loan(self, full: Measure, dip: Measure) -> None:
        if self._loan is None:
            return
        self._doubts = 0 if full.gain_over(dip) >= PAYS else self._doubts + 1
        if self._doubts >= 2 or full.seconds > OUTGROWN * self._loan:
            self._loan = None
