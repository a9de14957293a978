"""Anomaly maps: how unusual each pixel of a picture is, as servers send them, to arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Union

from inference_sdk.http.errors import EncodingError, InvalidAnomalyMapError
from inference_sdk.http.utils.encoding import decode_base_64

if TYPE_CHECKING:
    import numpy as np

ANOMALY_MAP_KEY = "anomaly_map"
ANOMALY_MAP_DTYPE = "float32"
_ITEM_SIZE = 4
"""Bytes of a float32."""


def decode_anomaly_map(payload: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """An anomaly map as sent: `shape`, `dtype` "float32", `data` (base64, little-endian).

    Returns:
        float32 array of shape (height, width).

    Raises:
        InvalidAnomalyMapError: a key is missing or malformed, or the data do not fill the shape.
    """
    import numpy as np

    if payload.get("dtype") != ANOMALY_MAP_DTYPE:
        raise InvalidAnomalyMapError(
            f"An anomaly map must be of dtype {ANOMALY_MAP_DTYPE!r}, got {payload.get('dtype')!r}."
        )
    height, width = _shape(payload.get("shape"))
    data = _data(payload.get("data"))
    if len(data) != prod((height, width, _ITEM_SIZE)):
        raise InvalidAnomalyMapError(
            f"An anomaly map of shape {(height, width)} takes {height * width * _ITEM_SIZE} bytes, "
            f"got {len(data)}."
        )
    return np.frombuffer(data, dtype="<f4").reshape(height, width).astype(np.float32)


def _shape(shape: Any) -> Sequence[int]:
    sides = list(shape) if isinstance(shape, (list, tuple)) else []
    if len(sides) != 2 or not all(type(side) is int and side >= 0 for side in sides):
        raise InvalidAnomalyMapError(
            f"The shape of an anomaly map must be [height, width], got {shape!r}."
        )
    return sides


def _data(data: Any) -> bytes:
    if not isinstance(data, str):
        raise InvalidAnomalyMapError(
            f"The data of an anomaly map must be text, got {type(data).__name__}."
        )
    try:
        return decode_base_64(data)
    except EncodingError as error:
        raise InvalidAnomalyMapError(
            f"The data of an anomaly map are malformed. {error}"
        ) from error


def decode_anomaly_detection_result(
    result: Union[dict[str, Any], list[dict[str, Any]]],
) -> Union[dict[str, Any], list[dict[str, Any]]]:
    """An answer, or a list of them, with `anomaly_map` decoded where there is one.

    Raises:
        InvalidAnomalyMapError: a map is malformed.
    """
    if isinstance(result, list):
        return [_decode_answer(answer) for answer in result]
    return _decode_answer(result)


def _decode_answer(answer: dict[str, Any]) -> dict[str, Any]:
    payload = answer.get(ANOMALY_MAP_KEY) if isinstance(answer, dict) else None
    if not isinstance(payload, Mapping):
        return answer
    return {**answer, ANOMALY_MAP_KEY: decode_anomaly_map(payload)}
