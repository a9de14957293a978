"""Depth maps: how far each pixel of a picture is, as servers send them, to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.encoding import bytes_to_pillow_image, decode_base_64
from inference_sdk.utils.notices import warn_user

if TYPE_CHECKING:
    import numpy as np

DEPTH_KEY = "normalized_depth"


def warn_depth_map_json_format_deprecated() -> None:
    """Warn that depth maps as nested lists of numbers are many times larger than PNG."""
    warn_user(
        "Depth maps as JSON lists are deprecated: they are large and slow to read. "
        "Use depth_map_format='png16'.",
        InferenceSDKDeprecationWarning,
    )


def decode_png_normalized_depth(payload: str) -> np.ndarray[Any, Any]:
    """A depth map sent as base64 PNG, grey, 16 or 8 bits a pixel.

    Returns:
        float32 array of shape (height, width), values 0..1.

    Raises:
        EncodingError: not base64, not an image, or not a grey one.
    """
    import numpy as np

    image = bytes_to_pillow_image(decode_base_64(payload))
    if image.mode == "L":
        largest = 255
    elif image.mode.startswith("I"):  # "I;16", and "I" before Pillow 11
        largest = 65535
    else:
        raise EncodingError(f"A depth map must be a grey picture, got one of mode {image.mode!r}.")
    depth: np.ndarray[Any, Any] = np.asarray(image, dtype=np.float32) / np.float32(largest)
    return depth


def decode_depth_estimation_result(
    result: Union[dict[str, Any], list[dict[str, Any]]],
) -> Union[dict[str, Any], list[dict[str, Any]]]:
    """An answer, or a list of them, with `normalized_depth` decoded where it is a picture.

    Raises:
        EncodingError: see `decode_png_normalized_depth`.
    """
    if isinstance(result, list):
        return [_decode_answer(answer) for answer in result]
    return _decode_answer(result)


def _decode_answer(answer: dict[str, Any]) -> dict[str, Any]:
    depth = answer.get(DEPTH_KEY) if isinstance(answer, dict) else None
    if not isinstance(depth, str):
        return answer
    return {**answer, DEPTH_KEY: decode_png_normalized_depth(depth)}
