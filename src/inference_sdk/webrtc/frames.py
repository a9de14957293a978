"""Frames on their way to the user, and making arrays of them.

A frame stays as it came (decoded YUV of a track, or JPEG in base64 of a message) until somebody
takes it: a frame that is dropped costs nothing, and the work is done on the thread of whoever
wants it, never on the event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.utils.logging import get_logger

if TYPE_CHECKING:
    import av
    import numpy as np

    from inference_sdk.webrtc.messages import VideoMetadata

    Picture = np.ndarray[Any, Any]

logger = get_logger("webrtc.frames")


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

    It is opened as all pictures from outside are: as one of few kinds, and up to so many pixels.

    Raises:
        EncodingError: not base64, no picture, a broken one, or too large a one.
    """
    from inference_sdk.http.utils.encoding import decode_base_64
    from inference_sdk.http.utils.image_codec import bytes_to_pillow_image, pillow_to_bgr

    return pillow_to_bgr(bytes_to_pillow_image(decode_base_64(text)))
