"""From what a server answered to what the caller asked for: scaled back, decoded, flattened.

Functions on parsed JSON. Those that scale coordinates change what they are given and return it;
the others leave it alone. What does not look as agreed is passed through: an answer is the
server's, and losing it over one odd key would help no one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.http.entities import VisualisationResponseFormat
from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.encoding import (
    bytes_to_pillow_image,
    decode_base_64,
    encode_base_64,
)
from inference_sdk.http.utils.json_values import described
from inference_sdk.utils.notices import warn_user

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from requests import Response

    from inference_sdk.http.entities import ModelDescription

    Picture = Union[str, np.ndarray[Any, Any], Image.Image]

CONTENT_TYPE_HEADERS = ["content-type", "Content-Type"]
"""Both, for stand-ins of an answer whose headers are a plain dict."""

_BOX_KEYS = ("x", "y", "width", "height")
_POINT_KEYS = ("x", "y")
_POINTS_KEYS = ("points", "keypoints")
"""Where predictions hold lists of points: segmentation, and keypoint detection."""


# -- workflows ---------------------------------------------------------------------------------


def decode_workflow_outputs(
    workflow_outputs: list[dict[str, Any]], expected_format: VisualisationResponseFormat
) -> list[dict[str, Any]]:
    """Outputs of a workflow, one dict for each image, with every picture in them decoded.

    A picture is `{"type": "base64", "value": …}`, at any depth. One that cannot be decoded stays as
    it came, with a warning: it must not cost the others.
    """
    with _Pictures(expected_format) as pictures:
        # An output is no picture, though one of its names may be "type".
        return [
            pictures.decode_object(output) if isinstance(output, dict) else output
            for output in workflow_outputs
        ]


def decode_workflow_output(
    workflow_output: dict[str, Any], expected_format: VisualisationResponseFormat
) -> dict[str, Any]:
    """One output with every picture in it decoded, at any depth."""
    with _Pictures(expected_format) as pictures:
        return pictures.decode_object(workflow_output)


def decode_workflow_output_list(
    elements: list[Any], expected_format: VisualisationResponseFormat
) -> list[Any]:
    """A list with every picture in it decoded, at any depth."""
    with _Pictures(expected_format) as pictures:
        return pictures.decode_list(elements)


class _Pictures:
    """Decodes the pictures of an answer; warns of those that are none, once, when it is done."""

    def __init__(self, expected_format: VisualisationResponseFormat) -> None:
        self._format = expected_format
        self._failures: list[str] = []

    def __enter__(self) -> _Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        if self._failures:
            warn_user(
                f"{len(self._failures)} of the pictures in an answer cannot be decoded, and stay "
                f"as they came. The first: {self._failures[0]}",
                UserWarning,
            )

    def decode_object(self, value: dict[str, Any]) -> dict[str, Any]:
        return {key: self.decode(element) for key, element in value.items()}

    def decode_list(self, elements: list[Any]) -> list[Any]:
        return [self.decode(element) for element in elements]

    def decode(self, value: Any) -> Any:
        if is_workflow_image(value):
            return self._decode_picture(value)
        if isinstance(value, dict):
            return self.decode_object(value)
        return self.decode_list(value) if isinstance(value, list) else value

    def _decode_picture(self, value: dict[str, Any]) -> Any:
        try:
            return decode_workflow_output_image(value=value, expected_format=self._format)
        except EncodingError as error:
            self._failures.append(str(error))
            return value


def is_workflow_image(value: Any) -> bool:
    """Whether this is `{"type": "base64", …}`; the picture is under `value`."""
    return isinstance(value, dict) and value.get("type") == "base64"


def decode_workflow_output_image(
    value: dict[str, Any], expected_format: VisualisationResponseFormat
) -> Optional[Picture]:
    """The picture in a workflow image: its base64 text, an array, or a PIL image; None for none.

    Raises:
        EncodingError: it cannot be decoded.
    """
    if value.get("value") is None:
        return None
    return transform_base64_visualisation(
        visualisation=value["value"], expected_format=expected_format
    )


# -- pictures ----------------------------------------------------------------------------------


def response_contains_jpeg_image(response: Response) -> bool:
    """Whether the answer's content type names `image/jpeg`."""
    return any(
        "image/jpeg" in str(response.headers.get(name, "")).lower() for name in CONTENT_TYPE_HEADERS
    )


def transform_base64_visualisation(
    visualisation: str, expected_format: VisualisationResponseFormat
) -> Picture:
    """A base64 picture in the format asked for; see `transform_visualisation_bytes`."""
    if not isinstance(visualisation, str):
        raise EncodingError(f"A picture must be base64 text, got {described(visualisation)}.")
    if expected_format == VisualisationResponseFormat.BASE64:
        return visualisation
    return transform_visualisation_bytes(
        visualisation=decode_base_64(visualisation), expected_format=expected_format
    )


def picture_or_raw(value: Any, expected_format: VisualisationResponseFormat, name: str) -> Any:
    """A picture beside other results: what cannot be decoded stays as it came, with a warning."""
    try:
        return transform_base64_visualisation(value, expected_format)
    except EncodingError as error:
        warn_user(f"{name!r} of an answer stays as it came: {error}", UserWarning)
        return value


def transform_visualisation_bytes(
    visualisation: bytes, expected_format: VisualisationResponseFormat
) -> Picture:
    """The content of an image file in the format asked for.

    Returns:
        Base64 text; uint8 array in BGR order (grey and BGRA as stored); or PIL image.

    Raises:
        EncodingError: the bytes are no image.
        NotImplementedError: there is no such format.
    """
    transcode = _transcoding_methods().get(expected_format)
    if transcode is None:
        raise NotImplementedError(f"There is no visualisation format {expected_format!r}.")
    return transcode(visualisation)


@cache
def _transcoding_methods() -> dict[VisualisationResponseFormat, Callable[[bytes], Picture]]:
    """How the bytes of a picture become each format. Made on first use: it loads numpy."""
    from inference_sdk.http.utils.encoding import bytes_to_opencv_image

    return {
        VisualisationResponseFormat.BASE64: encode_base_64,
        VisualisationResponseFormat.NUMPY: bytes_to_opencv_image,
        VisualisationResponseFormat.PILLOW: bytes_to_pillow_image,
    }


def __getattr__(name: str) -> Any:
    if name == "IMAGES_TRANSCODING_METHODS":
        return _transcoding_methods()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# -- coordinates -------------------------------------------------------------------------------


def adjust_prediction_to_client_scaling_factor(
    prediction: dict[str, Any], scaling_factor: Optional[float]
) -> dict[str, Any]:
    """Put an answer about a picture that was scaled by `scaling_factor` into the original's pixels.

    The first prediction tells the kind of all. Without predictions it is the picture's size alone
    that changes; with no factor, and for stubs, nothing does.
    """
    if scaling_factor is None or prediction.get("is_stub"):
        return prediction
    if isinstance(prediction.get("image"), dict):
        _adjust_image_size(prediction["image"], scaling_factor)
    if not predictions_should_not_be_post_processed(prediction):
        _adjust_predictions(prediction["predictions"], scaling_factor)
    return prediction


def predictions_should_not_be_post_processed(prediction: dict[str, Any]) -> bool:
    """Whether there is no prediction to scale: no list of them, or an empty one."""
    predictions = prediction.get("predictions")
    return not isinstance(predictions, list) or not predictions


def _adjust_image_size(image: dict[str, Any], scaling_factor: float) -> None:
    for side in ("width", "height"):
        if _is_number(image.get(side)):
            image[side] = round(image[side] / scaling_factor)


def _adjust_predictions(predictions: list[Any], scaling_factor: float) -> None:
    first = predictions[0] if isinstance(predictions[0], dict) else {}
    for points_key in _POINTS_KEYS:
        if points_key in first:
            adjust_prediction_with_bbox_and_points_to_client_scaling_factor(
                predictions=predictions, scaling_factor=scaling_factor, points_key=points_key
            )
            return
    if "x" in first:
        adjust_object_detection_predictions_to_client_scaling_factor(
            predictions=predictions, scaling_factor=scaling_factor
        )


def adjust_object_detection_predictions_to_client_scaling_factor(
    predictions: list[dict[str, Any]], scaling_factor: float
) -> list[dict[str, Any]]:
    """Put boxes into the original's pixels; returns the list."""
    for prediction in predictions:
        adjust_bbox_coordinates_to_client_scaling_factor(
            bbox=prediction, scaling_factor=scaling_factor
        )
    return predictions


def adjust_prediction_with_bbox_and_points_to_client_scaling_factor(
    predictions: list[dict[str, Any]], scaling_factor: float, points_key: str
) -> list[dict[str, Any]]:
    """Put boxes, and the points under `points_key`, into the original's pixels."""
    for prediction in predictions:
        adjust_bbox_coordinates_to_client_scaling_factor(
            bbox=prediction, scaling_factor=scaling_factor
        )
        points = prediction.get(points_key) if isinstance(prediction, dict) else None
        if isinstance(points, list):
            adjust_points_coordinates_to_client_scaling_factor(
                points=points, scaling_factor=scaling_factor
            )
    return predictions


def adjust_bbox_coordinates_to_client_scaling_factor(
    bbox: dict[str, Any], scaling_factor: float
) -> dict[str, Any]:
    """Put `x`, `y`, `width` and `height` into the original's pixels."""
    _divide(bbox, _BOX_KEYS, scaling_factor)
    return bbox


def adjust_points_coordinates_to_client_scaling_factor(
    points: list[dict[str, Any]], scaling_factor: float
) -> list[dict[str, Any]]:
    """Put `x` and `y` of each point into the original's pixels."""
    for point in points:
        _divide(point, _POINT_KEYS, scaling_factor)
    return points


def _divide(element: Any, keys: tuple[str, ...], factor: float) -> None:
    if isinstance(element, dict):
        element.update({key: element[key] / factor for key in keys if _is_number(element.get(key))})


def _is_number(value: Any) -> bool:
    """Whether it can be scaled: neither NaN nor infinite, nor an integer beyond all floats."""
    return isinstance(value, (int, float)) and -1e300 < value < 1e300


# -- lists of answers --------------------------------------------------------------------------


def combine_gaze_detections(
    detections: Union[dict[str, Any], list[Union[dict[str, Any], list[dict[str, Any]]]]],
) -> Union[dict[str, Any], list[dict[str, Any]]]:
    """Answers for one or more batches as a list of one level; a single answer as it is."""
    if not isinstance(detections, list):
        return detections
    combined: list[dict[str, Any]] = []
    for detection in detections:
        combined.extend(detection if isinstance(detection, list) else [detection])
    return combined


def combine_clip_embeddings(
    embeddings: Union[dict[str, Any], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """One result for each picture: `embeddings` holds one vector, the other keys are kept."""
    if isinstance(embeddings, list):
        return [result for answer in embeddings for result in combine_clip_embeddings(answer)]
    return _split_embeddings(embeddings)


def split_image_embeddings(
    responses: Union[dict[str, Any], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """One result for each picture; `embedding_info` and the other keys are kept."""
    return combine_clip_embeddings(responses)


def _split_embeddings(answer: dict[str, Any]) -> list[dict[str, Any]]:
    vectors = answer.get("embeddings") if isinstance(answer, dict) else None
    if not isinstance(vectors, list):
        return [answer]
    return [{**answer, "embeddings": [vector]} for vector in vectors]


def filter_model_descriptions(
    descriptions: list[ModelDescription], model_id: str
) -> Optional[ModelDescription]:
    """The description of a model, None when it is not among them."""
    matching = (description for description in descriptions if description.model_id == model_id)
    return next(matching, None)
