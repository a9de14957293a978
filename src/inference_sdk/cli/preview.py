"""A window that shows the newest frame. Needs OpenCV, of which only this knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference_sdk.cli.failures import CommandError

if TYPE_CHECKING:
    import numpy as np

_CLOSING_KEYS = frozenset({ord("q"), 27})
_TITLE = "inference-sdk (q closes)"


class Preview:
    """Shows frames; use it on one thread.

    Raises:
        CommandError: OpenCV is missing, or has no windows.
    """

    def __init__(self) -> None:
        try:
            import cv2
        except ImportError as error:
            raise CommandError(
                "--show needs OpenCV, which is not installed: pip install opencv-python"
            ) from error
        self._cv2: Any = cv2
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise CommandError(
                "--show cannot open a window: there is no display, or this OpenCV is headless. "
                "Use --save, or pip install opencv-python."
            ) from error

    def show(self, frame: np.ndarray[Any, Any]) -> bool:
        """Show a frame (BGR); False when the user wants no more."""
        self._cv2.imshow(_TITLE, frame)
        return (self._cv2.waitKey(1) & 0xFF) not in _CLOSING_KEYS

    def close(self) -> None:
        self._cv2.destroyAllWindows()
