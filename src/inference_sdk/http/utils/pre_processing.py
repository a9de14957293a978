"""Scaling pictures down to what a model takes in, before they travel.

Shrinking averages over areas: each pixel of the source counts once, as models expect, and
nothing aliases. Pictures are never scaled up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from inference_sdk.http.errors import EncodingError
from inference_sdk.http.observing import Phase, timed

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


def resize_opencv_image(
    image: np.ndarray[Any, Any], max_height: Optional[int], max_width: Optional[int]
) -> tuple[np.ndarray[Any, Any], Optional[float]]:
    """Shrink an array to fit into both limits, keeping its proportions.

    Args:
        image: array of shape (H, W) or (H, W, channels), with any number of channels.
        max_height, max_width: pixels; nothing is done unless both are given.

    Returns:
        Array with the same dtype and channels, and the factor; the array as it came, and None,
        when it fits already.

    Raises:
        EncodingError: the array is no picture, or its dtype no number.
    """
    from inference_sdk.http.utils.image_codec import check_shape

    if image.ndim != 3 or not image.size:
        check_shape(image)
    factor = _factor(image.shape[0], image.shape[1], max_height, max_width)
    if factor is None:
        return image, None
    with timed(Phase.RESIZING):
        return _shrink_array(image, factor), factor


def _shrink_array(image: np.ndarray[Any, Any], factor: float) -> np.ndarray[Any, Any]:
    import numpy as np
    from PIL import Image

    from inference_sdk.http.utils.image_codec import to_uint8

    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype == np.bool_:
        image = to_uint8(image)
    # All channels alike: Pillow would weigh the colours of "RGBA" by their alpha.
    mode = {1: "L", 3: "RGB", 4: "RGBX"}.get(channels)
    if image.dtype == np.uint8 and mode is not None:
        size = (image.shape[1], image.shape[0])
        pixels = np.ascontiguousarray(image)
        shrunk = np.array(_shrink(Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1), factor))
        return shrunk.reshape(shrunk.shape[:2] + image.shape[2:])
    planes = [_shrink_plane(plane, factor) for plane in np.moveaxis(np.atleast_3d(image), 2, 0)]
    return np.stack(planes, axis=2).reshape(planes[0].shape + image.shape[2:])


def _shrink_plane(plane: np.ndarray[Any, Any], factor: float) -> np.ndarray[Any, Any]:
    """One channel of any kind of number, by way of float32."""
    import numpy as np
    from PIL import Image

    if plane.dtype.kind not in "fiu":
        raise EncodingError(f"An array of dtype {plane.dtype} cannot be scaled.")
    shrunk = np.array(_shrink(Image.fromarray(plane.astype(np.float32)), factor))
    return (shrunk if plane.dtype.kind == "f" else np.rint(shrunk)).astype(plane.dtype)


def resize_pillow_image(
    image: Image.Image, max_height: Optional[int], max_width: Optional[int]
) -> tuple[Image.Image, Optional[float]]:
    """Shrink a PIL image, turned upright, to fit into both limits, keeping its proportions.

    Returns:
        The image and the factor; the image as it came, and None, when it fits already or a
        limit is missing.
    """
    from inference_sdk.http.utils.image_codec import sendable
    from inference_sdk.http.utils.picture_opening import upright_size

    width, height = upright_size(image)
    factor = _factor(height, width, max_height, max_width)
    if factor is None:
        return image, None
    with timed(Phase.DECODING):
        decoded = sendable(image)
    with timed(Phase.RESIZING):
        return _shrink(decoded, factor), factor


def determine_scaling_aspect_ratio(
    image_height: int, image_width: int, max_height: int, max_width: int
) -> Optional[float]:
    """Factor that makes a picture fit into both limits; None when it fits as it is.

    Example:
        >>> determine_scaling_aspect_ratio(1080, 1920, max_height=640, max_width=640)
        0.3333333333333333
    """
    ratio = min(max_height / image_height, max_width / image_width)
    return ratio if ratio < 1 else None


def _factor(
    height: int, width: int, max_height: Optional[int], max_width: Optional[int]
) -> Optional[float]:
    if max_height is None or max_width is None or not (height and width):
        return None
    return determine_scaling_aspect_ratio(height, width, max_height, max_width)


def _shrink(image: Image.Image, factor: float) -> Image.Image:
    from PIL import Image as PillowImage

    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, PillowImage.Resampling.BOX)
