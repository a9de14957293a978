"""What was found, drawn on its picture by supervision, and the picture written.

Knows nothing of servers or of tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference_sdk.viz.findings import findings

if TYPE_CHECKING:
    import numpy as np

    Frame = np.ndarray[Any, np.dtype[np.uint8]]


def draw_result(content: bytes, result: Mapping[str, Any], path: Path, encoding: str) -> None:
    """Write the picture of an image file with a result on it.

    Raises:
        EncodingError: the file does not decode.
        OSError: the picture cannot be written.
    """
    from inference_sdk.http.utils.encoding import bytes_to_pillow_image, encode_image
    from inference_sdk.http.utils.image_codec import pillow_to_bgr

    frame = annotate(pillow_to_bgr(bytes_to_pillow_image(content)), result)
    path.write_bytes(encode_image(frame, encoding))


def annotate(frame: Frame, result: Mapping[str, Any]) -> Frame:
    """A picture (BGR, uint8, (H, W, 3)) with boxes, masks, keypoints and names; drawn on a copy.

    Args:
        frame: the picture that the result is of.
        result: as of `infer`, or an item of it.

    Returns:
        A picture of the same size and colour order; `frame` itself where nothing was found.
    """
    supervision = load_supervision()
    found = findings(result)
    if not found:
        return frame
    frame = frame.copy()
    if any(finding.box is None for finding in found):
        return _draw_classes(supervision, frame, [str(finding) for finding in found])
    result = _without_nulls(result)
    detections = supervision.Detections.from_inference(result)
    size = frame.shape[1::-1]
    thickness = supervision.calculate_optimal_line_thickness(size)
    if detections.mask is not None:
        frame = supervision.MaskAnnotator().annotate(frame, detections)
    frame = supervision.BoxAnnotator(thickness=thickness).annotate(frame, detections)
    if any("keypoints" in prediction for prediction in result["predictions"]):
        points = supervision.KeyPoints.from_inference(result)
        frame = supervision.VertexAnnotator(radius=thickness + 2).annotate(frame, points)
    labels = supervision.LabelAnnotator(
        text_scale=supervision.calculate_optimal_text_scale(size), smart_position=True
    )
    drawn: Frame = labels.annotate(frame, detections, labels=[str(finding) for finding in found])
    return drawn


def _without_nulls(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without the keys that are null, which servers mean as absent: older releases of
    supervision count a null `tracker_id` as a number.
    """
    predictions = [
        {key: value for key, value in prediction.items() if value is not None}
        for prediction in result["predictions"]
    ]
    return {**result, "predictions": predictions}


def _draw_classes(supervision: Any, frame: Frame, texts: list[str]) -> Frame:
    """What a whole picture shows, written in its upper left corner."""
    height, width = frame.shape[:2]
    scale = supervision.calculate_optimal_text_scale((width, height))
    line = round(40 * scale) + 8
    for row, text in enumerate(texts):
        frame = supervision.draw_text(
            scene=frame,
            text=text,
            text_anchor=supervision.Point(x=width // 4, y=line * (row + 1)),
            text_color=supervision.Color.WHITE,
            background_color=supervision.Color.BLACK,
            text_scale=scale,
        )
    return frame


def load_supervision() -> Any:
    """The package that draws; without OpenCV it warns that it does without, which is fine here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="OpenCV .* is not installed")
        import supervision
    return supervision
