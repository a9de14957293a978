"""The pictures of a workflow, and where they come from.

Pictures convert themselves on first use only, so that a step which wants grey never pays for
colour. Knows nothing of steps, of HTTP or of video.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import PIL.Image

Pixels = npt.NDArray[np.uint8]

JPEG_QUALITY = 95
DEFAULT_FPS = 30


@dataclass(frozen=True)
class Origin:
    """Where a crop was cut: its top left pixel in the picture `name` of `width` x `height`."""

    name: str
    x: int
    y: int
    width: int
    height: int

    def to_wire(self) -> dict[str, int]:
        return {
            "offset_x": self.x,
            "offset_y": self.y,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True)
class Lineage:
    """The name of a picture, and where it was cut from its parent and from the first picture.

    Both origins are None for a picture that was not cut; `parent` is `root` for a crop of it.
    """

    name: str
    parent: Optional[Origin] = None
    root: Optional[Origin] = None

    def cut(self, name: str, x: int, y: int, size: tuple[int, int]) -> Lineage:
        """Of a crop whose top left corner is (x, y) in this picture of `size` (width, height)."""
        parent = Origin(self.name, x, y, *size)
        if self.root is None:
            return Lineage(name, parent, parent)
        first = self.root
        root = Origin(first.name, first.x + x, first.y + y, first.width, first.height)
        return Lineage(name, parent, root)

    def to_wire(self) -> dict[str, Any]:
        """The four keys of a crop; nothing for a picture that was not cut."""
        if self.parent is None or self.root is None:
            return {}
        return {
            "parent_id": self.parent.name,
            "parent_origin": self.parent.to_wire(),
            "root_parent_id": self.root.name,
            "root_parent_origin": self.root.to_wire(),
        }


class WorkflowImage:
    """A picture: grey (H, W) or BGR (H, W, 3), uint8. Not to be written to.

    Args:
        pixels: as above.
        metadata: what is known of the frame: video_identifier, frame_number, frame_timestamp,
            fps, measured_fps, comes_from_video_file, total_frames.
        lineage: its name, and where it was cut.
        sent: the picture as it came in the request, to be given back untouched.

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
        lineage: Optional[Lineage] = None,
        sent: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self._given = pixels
        self.metadata = metadata or {}
        self.lineage = lineage or Lineage("image")
        self.sent = sent

    @property
    def name(self) -> str:
        """What predictions made on this picture call their parent."""
        return self.lineage.name

    @property
    def video_identifier(self) -> str:
        """The video this is a frame of: what state is kept by."""
        return str(self.metadata.get("video_identifier") or self.name)

    @property
    def seconds(self) -> float:
        """When the frame was taken: in a file counted by its rate, else by its time stamp."""
        if self.metadata.get("comes_from_video_file"):
            number = float(self.metadata.get("frame_number") or 0)
            return number / float(self.metadata.get("fps") or DEFAULT_FPS)
        return self.timestamp.timestamp()

    @property
    def timestamp(self) -> datetime:
        """When the frame was taken, as told; now, where nothing was told."""
        stamp = self.metadata.get("frame_timestamp") or self.metadata.get("received_at")
        if isinstance(stamp, datetime):
            return stamp
        if isinstance(stamp, str):
            return datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        return datetime.now(timezone.utc)

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

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    @cached_property
    def bgr(self) -> Pixels:
        """uint8 (H, W, 3)."""
        pixels = self.pixels
        if pixels.ndim == 3:
            return pixels
        return np.repeat(pixels[:, :, np.newaxis], 3, axis=2)

    @cached_property
    def gray(self) -> Pixels:
        """uint8 (H, W), luma of ITU-R BT.601 as OpenCV computes it."""
        if self.pixels.ndim == 2:
            return self.pixels
        import cv2

        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_BGR2GRAY), np.uint8)

    def to_pillow(self) -> PIL.Image.Image:
        """A copy to draw on: mode "L" or "RGB"."""
        from PIL import Image

        pixels = np.ascontiguousarray(self.pixels)
        if pixels.ndim == 2:
            return Image.fromarray(pixels)
        height, width = pixels.shape[:2]
        return Image.frombytes("RGB", (width, height), pixels.tobytes(), "raw", "BGR")

    def with_pixels(self, pixels: Pixels) -> WorkflowImage:
        """The same picture with other pixels."""
        return WorkflowImage(pixels, metadata=self.metadata, lineage=self.lineage)

    def crop(
        self,
        left: int,
        top: int,
        right: int,
        bottom: int,
        *,
        name: str,
        keeps_video: bool = False,
    ) -> Optional[WorkflowImage]:
        """The part between these edges, cut off at the picture's own; None if that is nothing.

        Args:
            left, top, right, bottom: in pixels; right and bottom are not part of it.
            name: what the crop is called, as the parent of what is found in it.
            keeps_video: whether it counts as a frame of the picture's video (static crops do),
                or stands alone.
        """
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, self.width), min(bottom, self.height)
        if left >= right or top >= bottom:
            return None
        metadata = (
            {**self.metadata, "video_identifier": f"{self.video_identifier} | crop: {name}"}
            if keeps_video
            else still_metadata(name)
        )
        return WorkflowImage(
            self.pixels[top:bottom, left:right],
            metadata=metadata,
            lineage=self.lineage.cut(name, left, top, self.size),
        )

    def to_jpeg(self, quality: int = JPEG_QUALITY) -> bytes:
        buffer = io.BytesIO()
        self.to_pillow().save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    def to_wire(self, quality: int = JPEG_QUALITY) -> dict[str, Any]:
        """`{"type": "base64", "value": JPEG, "video_metadata": …}`, of a crop its origins too."""
        import pybase64

        if self.sent is not None:
            value = self.sent["value"]
        else:
            value = pybase64.b64encode(self.to_jpeg(quality)).decode("ascii")
        return {
            "type": "base64",
            "value": value,
            "video_metadata": dict(self.metadata),
            **self.lineage.to_wire(),
        }


def still_metadata(name: str) -> dict[str, Any]:
    """What is told of a picture that no video is known of."""
    return {
        "video_identifier": name,
        "frame_number": 0,
        "frame_timestamp": datetime.now(timezone.utc).isoformat(),
        "fps": DEFAULT_FPS,
        "measured_fps": None,
        "comes_from_video_file": None,
        "total_frames": None,
    }


def new_id() -> str:
    """A name that nothing else has."""
    return str(uuid.uuid4())
