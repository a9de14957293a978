"""A request's body in parts, so that sending it is watched: a server must take part after part.

A time-out on the whole would have to be long enough for the largest body on the slowest link.
"""

from __future__ import annotations

from collections.abc import Iterator

PART_BYTES = 2**21
"""One part for most pictures (a 1080p JPEG is 1.1 MB in base64): each further one costs a wake-up,
in all half of what a call costs. Under the default time-out, 18 kB a second are fast enough."""


def body_parts(body: bytes) -> Iterator[memoryview]:
    """Views of the body, of up to `PART_BYTES`, in order; nothing is copied."""
    view = memoryview(body)
    for start in range(0, len(view), PART_BYTES):
        yield view[start : start + PART_BYTES]
