"""Predictions drawn on their picture: what `visualization` of an answer shows.

Pillow alone, on purpose: a server has no need of a drawing package. `viz` serves people's
pictures better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inference_sdk.http.utils.encoding import encode_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models import InferenceParameters

Colour = tuple[int, int, int]

_COLOURS: tuple[Colour, ...] = (
    (255, 56, 132), (0, 200, 83), (41, 121, 255), (255, 145, 0), (170, 0, 255), (0, 184, 212),
)  # fmt: skip
_WHITE: Colour = (255, 255, 255)


def draw_predictions(
    image: NDArray[np.uint8], answer: Mapping[str, Any], parameters: InferenceParameters
) -> bytes:
    """JPEG of the picture (BGR) with the boxes, outlines and keypoints of an answer on it."""
    picture = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    draw = ImageDraw.Draw(picture)
    predictions = answer.get("predictions")
    for prediction in predictions if isinstance(predictions, list) else []:
        if "width" in prediction:
            _draw_prediction(draw, prediction, parameters)
    return encode_image(picture)


def _draw_prediction(
    draw: ImageDraw.ImageDraw, prediction: Mapping[str, Any], parameters: InferenceParameters
) -> None:
    colour = _COLOURS[prediction["class_id"] % len(_COLOURS)]
    # What is wider than the picture is drawn for minutes, and shows nothing.
    stroke = min(parameters.visualization_stroke_width, min(draw.im.size) // 2 + 1)
    half_width, half_height = prediction["width"] / 2, prediction["height"] / 2
    left, top = prediction["x"] - half_width, prediction["y"] - half_height
    right, bottom = prediction["x"] + half_width, prediction["y"] + half_height
    draw.rectangle((left, top, right, bottom), outline=colour, width=stroke)
    outline = [(point["x"], point["y"]) for point in prediction.get("points", [])]
    if outline:
        draw.line([*outline, outline[0]], fill=colour, width=stroke)
    for point in prediction.get("keypoints", []):
        draw.circle((point["x"], point["y"]), stroke + 1, fill=colour)
    if parameters.visualization_labels:
        _draw_label(draw, (left, top), prediction, colour)


def _draw_label(
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    prediction: Mapping[str, Any],
    colour: Colour,
) -> None:
    text = f"{prediction['class']} {prediction['confidence']:.2f}"
    font = ImageFont.load_default(14)
    left, top, right, bottom = draw.textbbox(corner, text, font=font)
    draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=colour)
    draw.text(corner, text, fill=_WHITE, font=font)
