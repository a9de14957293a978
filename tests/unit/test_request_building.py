from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from inference_sdk.http.utils.request_building import (
    ImagePlacement,
    RequestData,
    assembly_request_data,
    prepare_requests_data,
)

IMAGES = [("a", None), ("b", 0.5), ("c", None)]


def prepare(images: list[Any], size: int, placement: ImagePlacement, **fields: Any) -> Any:
    arguments: dict[str, Any] = {"headers": None, "parameters": None, "payload": None, **fields}
    return prepare_requests_data(
        url="http://some.com",
        encoded_inference_inputs=images,
        max_batch_size=size,
        image_placement=placement,
        **arguments,
    )


def test_in_json_images_are_batched_in_order() -> None:
    first, second = prepare(IMAGES, 2, ImagePlacement.JSON, payload={"model_id": "m/1"})
    assert first.payload == {
        "model_id": "m/1",
        "image": [{"type": "base64", "value": "a"}, {"type": "base64", "value": "b"}],
    }
    assert (first.request_elements, first.image_scaling_factors) == (2, [None, 0.5])
    assert second.payload == {"model_id": "m/1", "image": {"type": "base64", "value": "c"}}
    assert (second.request_elements, second.data) == (1, None)


def test_as_data_the_image_is_the_bare_body() -> None:
    requests = prepare(IMAGES, 1, ImagePlacement.DATA, parameters={"api_key": "k"})
    assert [request.data for request in requests] == ["a", "b", "c"]
    assert all(request.payload is None for request in requests)
    assert all(request.parameters == {"api_key": "k"} for request in requests)


def test_two_images_in_one_body_are_refused() -> None:
    with pytest.raises(ValueError, match="one image, got 2"):
        prepare(IMAGES, 2, ImagePlacement.DATA)


@pytest.mark.parametrize("placement", ImagePlacement)
def test_the_callers_values_are_never_changed(placement: ImagePlacement) -> None:
    given = {"headers": {"a": "b"}, "parameters": {"c": ["d"]}, "payload": {"e": {"f": 1}}}
    before = copy.deepcopy(given)
    prepare(IMAGES, 1, placement, **given)
    assert given == before


def test_no_images_are_no_requests() -> None:
    assert prepare([], 2, ImagePlacement.JSON) == []


@pytest.mark.parametrize("placement", ImagePlacement)
def test_a_request_may_be_assembled_without_images(placement: ImagePlacement) -> None:
    request = assembly_request_data(
        url="http://some.com",
        batch_inference_inputs=[],
        headers=None,
        parameters=None,
        payload={"a": 1},
        image_placement=placement,
    )
    assert (request.payload, request.data, request.request_elements) == ({"a": 1}, None, 0)


def test_without_a_payload_the_images_are_the_payload() -> None:
    [request] = prepare([("a", None)], 1, ImagePlacement.JSON)
    assert request.payload == {"image": {"type": "base64", "value": "a"}}


def test_requests_are_frozen() -> None:
    request = RequestData("u", 0, None, None, None, None, [])
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.url = "v"  # type: ignore[misc]


def test_a_request_shows_neither_its_key_nor_its_pictures() -> None:
    key = "0123456789abcdef"
    request = RequestData(
        url=f"http://some.com/info?api_key={key}",
        request_elements=1,
        headers={"Authorization": f"Bearer {key}"},
        parameters={"api_key": key},
        data="picture",
        payload={"api_key": key},
        image_scaling_factors=[None],
    )
    assert repr(request) == (
        "RequestData(url='http://some.com/info?api_key=01***ef', request_elements=1)"
    )
