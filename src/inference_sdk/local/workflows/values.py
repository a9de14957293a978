"""What flows between the steps of a workflow: pictures and predictions, and where they come from.

Pictures convert themselves on first use only, so that a step which wants grey never pays for
colour. Knows nothing of steps, of HTTP or of video.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import PIL.Image

Pixels = npt.NDArray[np.uint8]

JPEG_QUALITY = 95


class Model(Protocol):
    """What a model step calls."""

    def infer(self, image: Pixels, parameters: Any) -> dict[str, Any]: ...


class Models(Protocol):
    """Where a model step gets its model: the server's `ModelStore`."""

    def get(self, model_id: str) -> Model: ...


@dataclass(frozen=True)
class Origin:
    """Where a crop was cut: the pixel of its top left corner in a picture of `width`, `height`."""

    x: int
    y: int
    width: int
    height: int


class WorkflowImage:
    """A picture: grey (H, W) or BGR (H, W, 3), uint8.

    Example:
        >>> image = WorkflowImage(np.zeros((4, 6, 3), np.uint8))
        >>> image.width, image.height, image.gray.shape
        (6, 4, (4, 6))
    """

    def __init__(
        self,
        pixels: Optional[Pixels] = None,
        *,
        metadata: Optional[Mapping[str, Any]] = None,
        origin: Optional[Origin] = None,
    ) -> None:
        self._given = pixels
        self.metadata = metadata or {}
        self.origin = origin

    @property
    def pixels(self) -> Pixels:
        """As they are: (H, W) when the picture is grey, else (H, W, 3) in BGR."""
        return self.bgr if self._given is None else self._given

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @cached_property
    def bgr(self) -> Pixels:
        """uint8 (H, W, 3)."""
        pixels = self.pixels
        if pixels.ndim == 3:
            return pixels
        return np.repeat(pixels[:, :, np.newaxis], 3, axis=2)

    @cached_property
    def gray(self) -> Pixels:
        """uint8 (H, W), luma of ITU-R BT.601 as Pillow and OpenCV compute it."""
        if self.pixels.ndim == 2:
            return self.pixels
        return np.asarray(self.to_pillow().convert("L"))

    def to_pillow(self) -> PIL.Image.Image:
        """A copy to draw on: mode "L" or "RGB"."""
        from PIL import Image

        pixels = np.ascontiguousarray(self.pixels)
        if pixels.ndim == 2:
            return Image.fromarray(pixels)
        height, width = pixels.shape[:2]
        return Image.frombytes("RGB", (width, height), pixels.tobytes(), "raw", "BGR")

    def with_pillow(self, picture: PIL.Image.Image) -> WorkflowImage:
        """The same picture with other pixels, of mode "L" or "RGB"."""
        if picture.mode == "L":
            return self.with_pixels(np.asarray(picture))
        data = np.frombuffer(picture.tobytes("raw", "BGR"), np.uint8)
        return self.with_pixels(data.reshape(picture.height, picture.width, 3))

    def with_pixels(self, pixels: Pixels) -> WorkflowImage:
        """The same picture with other pixels of the same size."""
        return WorkflowImage(pixels, metadata=self.metadata, origin=self.origin)

    def overlaps(self, left: int, top: int, right: int, bottom: int) -> bool:
        """Whether there is a pixel of the picture between these edges."""
        within = max(left, 0) < min(right, self.width)
        return within and max(top, 0) < min(bottom, self.height)

    def crop(self, left: int, top: int, right: int, bottom: int) -> WorkflowImage:
        """The part between these edges, cut off at the picture's own; it knows where it was cut.

        Raises:
            ValueError: nothing of it lies in the picture.
        """
        if not self.overlaps(left, top, right, bottom):
            raise ValueError(
                f"The crop lies outside the picture of {self.width} x {self.height} pixels."
            )
        left, top = max(left, 0), max(top, 0)
        whole = self.origin or Origin(0, 0, self.width, self.height)
        origin = replace(whole, x=whole.x + left, y=whole.y + top)
        return WorkflowImage(
            self.pixels[top:bottom, left:right], metadata=self.metadata, origin=origin
        )

    def to_jpeg(self, quality: int = JPEG_QUALITY) -> bytes:
        buffer = io.BytesIO()
        self.to_pillow().save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    def to_wire(self, quality: int = JPEG_QUALITY) -> dict[str, Any]:
        """`{"type": "base64", "value": JPEG, "video_metadata": …}`."""
        import pybase64

        value = pybase64.b64encode(self.to_jpeg(quality)).decode("ascii")
        return {"type": "base64", "value": value, "video_metadata": dict(self.metadata)}


NOT_PREDICTIONS = frozenset({"inference_id", "frame_id", "time", "visualization"})
"""Keys of a model's answer that are about the call, not about the picture."""


@dataclass(frozen=True)
class Predictions:
    """What a model found in one picture.

    Attributes:
        answer: the model's answer without the keys that are about the call; boxes are centre x, y,
            width and height in pixels of the picture the model saw.
        origin: where that picture was cut, when it is a crop.
    """

    answer: Mapping[str, Any]
    origin: Optional[Origin] = field(default=None)

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], image: WorkflowImage) -> Predictions:
        kept = {key: value for key, value in answer.items() if key not in NOT_PREDICTIONS}
        return cls(kept, image.origin)

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """Predictions that have a box; empty for the answer of a classifier."""
        found = self.answer.get("predictions")
        return [box for box in found if "width" in box] if isinstance(found, list) else []

    def moved(self, dx: int, dy: int, origin: Optional[Origin] = None) -> Predictions:
        """The same with every coordinate moved, told in a picture that was cut at `origin`."""
        answer = dict(self.answer)
        if self.boxes:
            answer["predictions"] = [_moved(box, dx, dy) for box in self.answer["predictions"]]
        return Predictions(answer, origin)

    def in_parent(self) -> Predictions:
        """The same in pixels of the picture that the crop was cut from."""
        if self.origin is None:
            return self
        moved = self.moved(self.origin.x, self.origin.y)
        size = {"width": self.origin.width, "height": self.origin.height}
        return Predictions({**moved.answer, "image": size})

    def seen_in(self, image: WorkflowImage) -> Predictions:
        """The same in pixels of `image`: the picture it came from, or a crop on either side."""
        if self.origin == image.origin or image.origin is None:
            return self if self.origin == image.origin else self.in_parent()
        return self.in_parent().moved(-image.origin.x, -image.origin.y, image.origin)

    def to_wire(self) -> dict[str, Any]:
        return dict(self.answer)


def _moved(prediction: Mapping[str, Any], dx: int, dy: int) -> dict[str, Any]:
    moved = _moved_point(prediction, dx, dy)
    for points in ("points", "keypoints"):
        if isinstance(prediction.get(points), list):
            moved[points] = [_moved_point(point, dx, dy) for point in prediction[points]]
    return moved


def _moved_point(point: Mapping[str, Any], dx: int, dy: int) -> dict[str, Any]:
    return {**point, "x": point["x"] + dx, "y": point["y"] + dy}


def to_wire(value: Any, quality: int = JPEG_QUALITY) -> Any:
    """`value` as JSON can carry it: pictures in base64, arrays as lists; nested as it was."""
    if isinstance(value, WorkflowImage):
        return value.to_wire(quality)
    if isinstance(value, Predictions):
        return value.to_wire()
    if isinstance(value, Mapping):
        return {key: to_wire(item, quality) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(item, quality) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
