"""Frames of videos: each n-th, or some a second, with their time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from inference_sdk.batch.errors import SourceError
from inference_sdk.batch.items import Deferred, Item, Unit, Unreadable, safe_name, text_of
from inference_sdk.http.utils.video import upright
from inference_sdk.utils.media import open_video, packets

SUFFIXES = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}
)

_A_BIT = 1e-6
"""Seconds within which two times are the same: those of containers are rounded."""


def list_video(place: Any, version: str, every: int, fps: float | None) -> Iterator[Unit]:
    """The frames of a video that are wanted, as BGR uint8 arrays of shape (H, W, 3), upright.

    Raises:
        SourceError: PyAV is not installed.
    """
    try:
        import av  # noqa: F401
    except ImportError:
        raise SourceError("Videos need PyAV: pip install 'inference-sdk[video]'.") from None
    yield Unit(text_of(place), version, partial(_items, place, every, fps))


def _items(place: Any, every: int, fps: float | None) -> Iterator[Item]:
    schedule = _Schedule(every, fps)
    number = -1
    try:
        for number, frame in enumerate(_frames(place)):
            time = round(frame.time or 0.0, 6)
            if schedule.wants(number, time):
                yield _item(place, number, time, Deferred(partial(_pixels, frame)))
    except (OSError, IndexError, ValueError) as error:  # those of FFmpeg are some of these
        reason = "it has no video stream" if isinstance(error, IndexError) else str(error)
        where = f"after frame {number}" if number >= 0 else "at its begin"
        broken = Unreadable(f"{text_of(place)} cannot be read {where}: {reason}.")
        yield _item(place, number + 1, math.nan, broken)


class _Schedule:
    """Which frames are wanted: each n-th, or the first of each part of a second."""

    def __init__(self, every: int, fps: float | None) -> None:
        self._every = every
        self._fps = fps
        self._due = -math.inf

    def wants(self, number: int, time: float) -> bool:
        if self._fps is None:
            return number % self._every == 0
        if time < self._due - _A_BIT:
            return False
        self._due = (math.floor(time * self._fps + _A_BIT) + 1) / self._fps
        return True


def _item(place: Any, number: int, time: float, reference: Any) -> Item:
    name = text_of(place)
    return Item(
        id=f"{name}#{number}",
        image=name,
        reference=reference,
        name=f"{safe_name(Path(name).name)}/{number:06}.jpg",
        place={"frame": number} if math.isnan(time) else {"frame": number, "time": time},
    )


def _frames(place: Any) -> Iterator[Any]:
    location = str(place) if isinstance(place, Path) else place.open()
    with open_video(location) as container:
        for packet in packets(container):
            yield from packet.decode()


def _pixels(frame: Any) -> Any:
    return upright(frame.to_ndarray(format="bgr24"), frame.rotation)
