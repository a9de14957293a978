"""From a picture to the tensor that a network was trained on, and back for what it found.

One description for all networks: how the picture is fitted into the network's size, in which range
its values are, in which order its axes. Colours are RGB, whatever the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from inference_sdk.local.models.model_file import FITS, RANGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = 114
"""What letterboxed pictures of YOLO are framed with."""


@dataclass(frozen=True)
class Values:
    """A range of values: `(pixel * scale - mean) / deviation` of a pixel of 0..255."""

    name: str
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)


UNIT = Values("0..1", 1 / 255)
BYTES = Values("0..255")
SIGNED = Values("-1..1", 1 / 255, (0.5,), (0.5,))
IMAGENET = Values("ImageNet's mean", 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

VALUES = dict(zip(RANGES, (UNIT, BYTES, SIGNED, IMAGENET), strict=True))
"""By the name that options have for them."""


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in a network's input: x of the network is `x * scale[0] + offset[0]`."""

    scale: tuple[float, float]
    offset: tuple[float, float]
    width: int
    """Of the picture."""
    height: int

    def points(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Points (…, 2), x and y, from the network's pixels to the picture's."""
        moved = (points - np.array(self.offset)) / np.array(self.scale)
        return np.asarray(moved, dtype=np.float32)

    def boxes(self, boxes: NDArray[Any]) -> NDArray[np.float32]:
        """Boxes (N, 4) from the network's pixels to the picture's, cut at its borders."""
        corners = self.points(boxes.reshape(-1, 2, 2))
        return np.clip(corners, 0, np.array([self.width, self.height], np.float32)).reshape(-1, 4)


@dataclass(frozen=True)
class Preparation:
    """How pictures become the input of one network.

    Args:
        height, width: of the network's input.
        fit: "letterbox" keeps the aspect ratio and frames with grey, "stretch" gives it up,
            "crop" scales the shorter side to `shorter_side` and cuts the middle out.
        values: their range.
        shorter_side: of "crop"; 0 for the shorter side of the input.
        channels_last: the axes are height, width, channel.
        channels: 3 for RGB, 1 for grey.
        dtype: of the tensor.
        frame: shade of what "letterbox" frames with, 0..255.
    """

    height: int
    width: int
    fit: str = "letterbox"
    values: Values = UNIT
    shorter_side: int = 0
    channels_last: bool = False
    channels: int = 3
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    frame: int = GREY

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[Any], Placement]:
        """The tensor of a BGR picture, without the batch axis, and where the picture lies in it."""
        pixels, placement = _FITS[self.fit](image, self)
        return self._tensor(pixels), placement

    def __str__(self) -> str:
        colours = "RGB" if self.channels == 3 else "grey"
        layout = "channels last" if self.channels_last else "channels first"
        return (
            f"{self.width}x{self.height} {self.fit}, {colours} {self.values.name}, "
            f"{layout}, {self.dtype.name}"
        )

    def _tensor(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Of BGR pixels that have the network's size."""
        if self.channels == 1:
            planes = np.asarray(Image.fromarray(pixels[..., ::-1]).convert("L"))[None]
        else:
            planes = pixels.transpose(2, 0, 1)[::-1]
        if self.dtype.kind == "f" or self.values is not BYTES:
            planes = self._valued(planes)
        planes = planes.astype(self.dtype, copy=False)
        return np.ascontiguousarray(planes.transpose(1, 2, 0) if self.channels_last else planes)

    def _valued(self, planes: NDArray[np.uint8]) -> NDArray[np.float32]:
        values, mean, deviation = self.values, *_columns(self.values)
        valued = np.multiply(planes, np.float32(values.scale) / deviation, dtype=np.float32)
        if mean.any():
            valued -= mean / deviation
        return valued


def _columns(values: Values) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    mean, deviation = (np.array(v, np.float32) for v in (values.mean, values.deviation))
    return mean.reshape(-1, 1, 1), deviation.reshape(-1, 1, 1)


def _letterbox(image: NDArray[np.uint8], to: Preparation) -> tuple[NDArray[np.uint8], Placement]:
    height, width = image.shape[:2]
    scale = min(to.height / height, to.width / width)
    inner_width, inner_height = max(round(width * scale), 1), max(round(height * scale), 1)
    # Centred as exporters do it: of an odd rest the smaller half goes before the picture.
    left, top = (to.width - inner_width) // 2, (to.height - inner_height) // 2
    framed = np.full((to.height, to.width, 3), to.frame, np.uint8)
    framed[top : top + inner_height, left : left + inner_width] = resize_linear(
        image, inner_width, inner_height
    )
    ratio = (inner_width / width, inner_height / height)
    return framed, Placement(ratio, (left, top), width, height)


def _stretch(image: NDArray[np.uint8], to: Preparation) -> tuple[NDArray[np.uint8], Placement]:
    height, width = image.shape[:2]
    resized = resize_smooth(image, to.width, to.height)
    return resized, Placement((to.width / width, to.height / height), (0, 0), width, height)


def _crop(image: NDArray[np.uint8], to: Preparation) -> tuple[NDArray[np.uint8], Placement]:
    height, width = image.shape[:2]
    wanted = to.shorter_side or min(to.height, to.width)
    scale = wanted / min(height, width)
    # Never below the window, which a picture of another shape than it could fall short of.
    scale = max(scale, to.height / height, to.width / width)
    inner_width, inner_height = round(width * scale), round(height * scale)
    left, top = round((inner_width - to.width) / 2), round((inner_height - to.height) / 2)
    # The window alone is scaled: of a long strip the rest would be thrown away.
    box = tuple(edge / scale for edge in (left, top, left + to.width, top + to.height))
    pixels = resize_smooth(image, to.width, to.height, box)
    return pixels, Placement((scale, scale), (-left, -top), width, height)


_FITS: dict[str, Callable[..., tuple[NDArray[np.uint8], Placement]]] = dict(
    zip(FITS, (_letterbox, _stretch, _crop), strict=True)
)


def resize_smooth(
    image: NDArray[np.uint8],
    width: int,
    height: int,
    box: tuple[float, ...] | None = None,
) -> NDArray[np.uint8]:
    """Scaled so that each new pixel is a mean of the old ones it covers, as Pillow does it.

    Args:
        image: of shape (H, W, 3), in any order of colours.
        width, height: of the result.
        box: left, top, right, bottom of what is scaled, in pixels of the image; None for all.
    """
    if box is not None:
        far = (image.shape[1], image.shape[0])
        box = (max(box[0], 0), max(box[1], 0), min(box[2], far[0]), min(box[3], far[1]))
    picture = Image.fromarray(np.ascontiguousarray(image))
    resized = picture.resize((width, height), Image.Resampling.BILINEAR, box, reducing_gap=2.0)
    return np.asarray(resized)


def resize_linear(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scaled so that each new pixel is mixed of the four old ones around it, as OpenCV does it.

    OpenCV is three times as fast; Pillow gives the same within a step of rounding.
    """
    if image.shape[:2] == (height, width):
        return image
    cv2 = _opencv()
    if cv2 is not None:
        return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    step_x, step_y = image.shape[1] / width, image.shape[0] / height
    picture = Image.fromarray(np.ascontiguousarray(image))
    matrix = (step_x, 0.0, 0.0, 0.0, step_y, 0.0)
    resized = picture.transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(resized)


@cache
def _opencv() -> Any:
    """The module, None where it is not installed."""
    try:
        import cv2
    except ImportError:
        return None
    return cv2
