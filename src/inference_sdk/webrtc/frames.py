"""Frames on their way to the user, and making arrays of them.

A frame stays as it came (decoded YUV of a track, or JPEG in base64 of a message) until somebody
takes it: a frame that is dropped costs nothing, and the work is done on the thread of whoever
wants it, never on the event loop.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    import av
    import numpy as np

    from inference_sdk.webrtc.messages import VideoMetadata

    Picture = np.ndarray[Any, Any]

logger = get_logger("webrtc.frames")

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""What a worker may send. Pillow knows formats that start other programs."""

MAX_PIXELS = 50_000_000
"""Of one picture: 8K video has 33 million. A small file can claim any number."""


@dataclass(frozen=True)
class Frame:
    """A frame that nobody looked at yet.

    Attributes:
        content: a frame of a video track, or a picture file in base64.
        metadata: what is known of it.
        predictions: those that came with it, when they did.
        paired: whether `predictions` are known; else they come on another way.
    """

    content: Union[str, av.VideoFrame]
    metadata: Optional[VideoMetadata]
    predictions: Any = None
    paired: bool = False

    def decode(self) -> Optional[Picture]:
        """The frame as uint8 array of shape (H, W, 3) in BGR order; None if it is no picture."""
        try:
            if isinstance(self.content, str):
                return decode_base64_picture(self.content)
            picture: Picture = self.content.to_ndarray(format="bgr24")
            return picture
        except Exception as error:  # noqa: BLE001 - decoders raise anything for a hostile picture
            frame_id = self.metadata.frame_id if self.metadata else "unknown"
            logger.warning("Skipped frame %s: it will not decode (%s).", frame_id, error)
            return None


def decode_base64_picture(text: str) -> Picture:
    """Decode a picture file in base64 to a BGR array that may be written to.

    Raises:
        ValueError: not base64, or too large a picture.
        OSError: not a picture; a decoder may raise other errors for a broken one.
    """
    import numpy as np
    import pybase64
    from PIL import Image

    data = pybase64.b64decode(text, validate=True)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            rgb = image.convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error
    pixels = np.frombuffer(bytearray(rgb.tobytes("raw", "BGR")), dtype=np.uint8)
    return pixels.reshape(rgb.height, rgb.width, 3)
