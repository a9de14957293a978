"""`infer_on_stream`: what becomes of each frame, and of the file or camera that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import HTTPClientError

T = TypeVar("T")


def keeps_errors(configuration: InferenceConfiguration) -> bool:
    """Whether the error of a frame takes the place of its result."""
    return configuration.on_stream_error == "return"


class FrameOutcome:
    """What comes of a frame: a result, or, where errors are kept, the error of it.

    The frame comes in BGR, and is shown and sent in the order of colours that is set.

    A context manager around the call, sync or async, that sets `result`.
    """

    def __init__(
        self, reference: str | int, frame: Any, configuration: InferenceConfiguration
    ) -> None:
        self.result: Any = None
        self._reference = reference
        self._frame = frame
        self._keep = keeps_errors(configuration)
        if configuration.color_order == "rgb" and not isinstance(frame, HTTPClientError):
            self._frame = frame[..., ::-1].copy()

    @property
    def frame(self) -> Any:
        """The frame, to be sent.

        Raises:
            HTTPClientError: it is none: it could not be read.
        """
        if isinstance(self._frame, HTTPClientError):
            raise self._frame
        return self._frame

    @property
    def triple(self) -> tuple[str | int, Any, Any]:
        """(reference, frame or None, result or error), as the caller sees it."""
        unread = self._frame is self.result and isinstance(self.result, HTTPClientError)
        return self._reference, None if unread else self._frame, self.result

    def __enter__(self) -> FrameOutcome:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if not self._keep or not isinstance(error, HTTPClientError):
            return False
        self.result = error
        return True


@contextmanager
def releasing(frames: Iterable[T]) -> Iterator[Iterable[T]]:
    """Frames that are taken; the file or camera behind them is given back on the way out."""
    try:
        yield frames
    finally:
        close = getattr(frames, "close", None)
        if close is not None:
            with suppress(ValueError):  # a thread still waits for the next: it ends with that
                close()
