from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from PIL import Image

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.http.errors import EncodingError
from inference_sdk.http.utils.anomaly_maps import (
    decode_anomaly_detection_result,
    decode_anomaly_map,
)
from inference_sdk.http.utils.depth_maps import (
    decode_depth_estimation_result,
    decode_png_normalized_depth,
    warn_depth_map_json_format_deprecated,
)
from inference_sdk.http.utils.encoding import encode_base_64

MAPS = numpy_strategies.arrays(
    np.float32,
    st.tuples(st.integers(min_value=0, max_value=8), st.integers(min_value=0, max_value=8)),
)


def anomaly(values: Any, **changes: Any) -> dict[str, Any]:
    array = np.asarray(values, dtype="<f4")
    sent = {
        "shape": list(array.shape),
        "dtype": "float32",
        "data": encode_base_64(array.tobytes()),
    }
    return {**sent, **changes}


@given(values=MAPS)
def test_an_anomaly_map_comes_back_as_it_was(values: np.ndarray[Any, Any]) -> None:
    decoded = decode_anomaly_map(anomaly(values))
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, values)


def test_an_anomaly_map_is_writable() -> None:
    decode_anomaly_map(anomaly([[0.5]]))[:] = 1


@pytest.mark.parametrize(
    "payload",
    [
        {},
        anomaly([[1.0]], dtype="float64"),
        anomaly([[1.0]], dtype=None),
        anomaly([[1.0]], shape=None),
        anomaly([[1.0]], shape="11"),
        anomaly([[1.0]], shape=[1]),
        anomaly([[1.0]], shape=[1, 1, 1]),
        anomaly([[1.0]], shape=[-1, -1]),
        anomaly([[1.0]], shape=[True, 1]),
        anomaly([[1.0]], shape=[1.0, 1]),
        anomaly([[1.0]], shape=[2, 1]),
        anomaly([[1.0]], data=None),
        anomaly([[1.0]], data="$$$"),
        anomaly([[1.0]], data="AAA="),
    ],
)
def test_a_malformed_anomaly_map_is_a_value_error(payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="anomaly map"):
        decode_anomaly_map(payload)


def test_anomaly_maps_are_decoded_in_an_answer_and_in_a_list_of_them() -> None:
    answer = {"anomaly_map": anomaly([[0.25]]), "top": "bad"}
    one = decode_anomaly_detection_result(answer)
    assert isinstance(one, dict)
    assert one["top"] == "bad"
    np.testing.assert_array_equal(one["anomaly_map"], [[0.25]])
    many = decode_anomaly_detection_result([answer, {"top": "good"}])
    assert isinstance(many, list)
    np.testing.assert_array_equal(many[0]["anomaly_map"], [[0.25]])
    assert many[1] == {"top": "good"}
    assert isinstance(answer["anomaly_map"], dict)


@pytest.mark.parametrize("answer", [{}, {"anomaly_map": None}, {"visualization": "x"}])
def test_answers_without_an_anomaly_map_pass_through(answer: dict[str, Any]) -> None:
    assert decode_anomaly_detection_result(answer) is answer


def depth_png(values: Any, dtype: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(values, dtype=dtype)).save(buffer, "PNG")
    return encode_base_64(buffer.getvalue())


@pytest.mark.parametrize(("dtype", "largest"), [("uint8", 255), ("uint16", 65535)])
def test_depth_is_between_0_and_1(dtype: str, largest: int) -> None:
    depth = decode_png_normalized_depth(depth_png([[0, 51 * largest // 255, largest]], dtype))
    assert (depth.dtype, depth.shape) == (np.float32, (1, 3))
    np.testing.assert_allclose(depth, [[0, 0.2, 1]], rtol=1e-6)


def test_depth_that_is_no_grey_picture_is_refused() -> None:
    with pytest.raises(EncodingError, match="mode 'RGB'"):
        decode_png_normalized_depth(depth_png([[[1, 2, 3]]], "uint8"))
    with pytest.raises(EncodingError):
        decode_png_normalized_depth(encode_base_64(b"no image"))
    with pytest.raises(EncodingError):
        decode_png_normalized_depth("$")


def test_depth_maps_are_decoded_in_an_answer_and_in_a_list_of_them() -> None:
    answer = {"normalized_depth": depth_png([[255]], "uint8"), "image": "ff"}
    one = decode_depth_estimation_result(answer)
    assert isinstance(one, dict)
    assert one["image"] == "ff"
    np.testing.assert_array_equal(one["normalized_depth"], [[1]])
    many = decode_depth_estimation_result([answer, answer])
    assert isinstance(many, list)
    assert [result["normalized_depth"].item() for result in many] == [1, 1]
    assert isinstance(answer["normalized_depth"], str)


@pytest.mark.parametrize("answer", [{}, {"normalized_depth": [[0.5]]}])
def test_depth_as_json_passes_through(answer: dict[str, Any]) -> None:
    assert decode_depth_estimation_result(answer) is answer


def test_depth_as_json_can_be_warned_of() -> None:
    with pytest.warns(InferenceSDKDeprecationWarning, match="png16") as caught:
        warn_depth_map_json_format_deprecated()
    assert caught[0].filename == __file__
