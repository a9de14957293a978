"""How much one request, and all together, may take of this machine.

Each limit is named in the error that tells of it, and is an option of `serve` and `LocalServer`.
"""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, fields

from inference_sdk.local.faults import AbandonedError, TooLargeError, TooLongError

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a server takes on. All are whole numbers above 0.

    Attributes:
        body_bytes: of one body, as it comes and unpacked: some 200 large photographs.
        bodies_bytes: of all bodies that are held at once.
        json_values: values in a JSON body, pictures counting one each.
        json_depth: lists and objects within each other.
        pixels: of one picture.
        pixels_of_request: of all pictures of a workflow's request, which are held at once.
        images: pictures of one request.
        elements: of a batch that a workflow's step may make, such as crops.
        steps: of a workflow.
        seconds: that the work for one request may take.
        connections: at once.
        header_seconds: in which a request's line and headers have to be there.
        body_bytes_a_second: at least; a body that comes more slowly over some seconds is cut off.
    """

    body_bytes: int = 256 * MIB
    bodies_bytes: int = 1024 * MIB
    json_values: int = 500_000
    json_depth: int = 128
    pixels: int = 40_000_000
    pixels_of_request: int = 160_000_000
    images: int = 256
    elements: int = 10_000
    steps: int = 500
    seconds: int = 300
    connections: int = 512
    header_seconds: int = 10
    body_bytes_a_second: int = 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"The limit {field.name} is {value!r}, no whole number above 0.")


class Budget:
    """What the request under way has taken, and whether anyone still waits for it.

    Work asks it between its parts (`check`): a thread cannot be stopped from outside.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits = limits
        self.abandoned = False
        self._deadline = now + limits.seconds
        self._lock = threading.Lock()
        self._images = 0
        self._pixels = 0

    def check(self, now: float) -> None:
        """Raise where the work should end.

        Raises:
            AbandonedError: nobody waits for it.
            TooLongError: it takes longer than it may.
        """
        if self.abandoned:
            raise AbandonedError("Nobody waits for this any more.")
        if now > self._deadline:
            raise TooLongError(
                f"The work for this request takes longer than {self.limits.seconds} s (limit: seconds)."
            )

    def take_picture(self, width: int, height: int) -> None:
        """Count a picture before it is decoded.

        Raises:
            TooLargeError: it has too many pixels.
        """
        pixels = width * height
        if pixels > self.limits.pixels:
            raise TooLargeError(
                f"A picture of {width}x{height} has more than {self.limits.pixels} pixels (limit: "
                "pixels). Send it smaller."
            )

    def keep_picture(self, width: int, height: int) -> None:
        """Count a picture that stays for as long as the request.

        Raises:
            TooLargeError: there are too many, or they have too many pixels in all.
        """
        with self._lock:
            self._images += 1
            self._pixels += width * height
        require_images(self._images, self.limits)
        if self._pixels > self.limits.pixels_of_request:
            raise TooLargeError(
                f"The pictures of this request have more than {self.limits.pixels_of_request} "
                "pixels in all (limit: pixels_of_request). Send fewer at once."
            )


def require_images(count: int, limits: Limits) -> None:
    """Check how many pictures a request has.

    Raises:
        TooLargeError: they are too many.
    """
    if count > limits.images:
        raise TooLargeError(
            f"A request may have {limits.images} pictures (limit: images), and this one has more. "
            "Send fewer at once."
        )


current_budget: ContextVar[Budget] = ContextVar("current_budget")
"""That of the request under way; without one (streams, tests of parts) nothing is counted."""


def check_wanted() -> None:
    """For work between its parts: whether the request that it is for still wants it; see `Budget`."""
    budget = current_budget.get(None)
    if budget is not None:
        budget.check(time.monotonic())


def require_elements(step: str, count: int) -> None:
    """Check how many elements a step of a workflow makes of what it got.

    Raises:
        TooLargeError: they are too many.
    """
    budget = current_budget.get(None)
    if budget is not None and count > budget.limits.elements:
        raise TooLargeError(
            f"Step '{step}' makes {count} elements, and a step may make {budget.limits.elements} "
            "(limit: elements)."
        )
