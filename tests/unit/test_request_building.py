from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from inference_sdk import config
from inference_sdk.http.utils import request_building
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


def assemble(images: list[Any], placement: Any, **fields: Any) -> RequestData:
    arguments: dict[str, Any] = {"headers": None, "parameters": None, "payload": None, **fields}
    return assembly_request_data(
        url="http://some.com",
        batch_inference_inputs=images,
        image_placement=placement,
        **arguments,
    )


def test_json_may_be_assembled_without_images() -> None:
    request = assemble([], ImagePlacement.JSON, payload={"a": 1})
    assert (request.payload, request.data, request.request_elements) == ({"a": 1}, None, 0)


def test_a_body_that_is_the_image_needs_one() -> None:
    with pytest.raises(ValueError, match="one image, got 0"):
        assemble([], ImagePlacement.DATA)


def test_there_are_two_places_for_images() -> None:
    with pytest.raises(NotImplementedError, match="not in 'elsewhere'"):
        assemble([("a", None)], "elsewhere")


def test_requests_share_no_part_of_their_payload() -> None:
    one, other = prepare(IMAGES, 2, ImagePlacement.JSON, payload={"nested": {"list": []}})
    one.payload["nested"]["list"].append("changed")
    assert other.payload["nested"] == {"list": []}


@pytest.fixture
def run() -> Iterator[str]:
    token = config.execution_id.set("run-1")
    yield "run-1"
    config.execution_id.reset(token)


@pytest.mark.parametrize("headers", [None, {"A": "b"}])
def test_the_run_is_named_in_a_header(run: str, headers: dict[str, str] | None) -> None:
    before = copy.deepcopy(headers)
    request = assemble([("a", None)], ImagePlacement.JSON, headers=headers)
    assert request.headers == {**(headers or {}), "execution_id": run}
    assert headers == before


@pytest.mark.parametrize("module", [config, request_building])
def test_internal_requests_carry_the_secret_of_the_servers(
    run: str, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOFLOW_INTERNAL_SERVICE_SECRET", "hush")
    assert "X-Internal-Remote-Exec-Req" not in assemble([], ImagePlacement.JSON).headers
    monkeypatch.setattr(module, "ENABLE_INTERNAL_REMOTE_EXEC_HEADER", True)
    sent = assemble([], ImagePlacement.JSON).headers
    assert sent == {"execution_id": run, "X-Internal-Remote-Exec-Req": "hush"}


def test_without_a_run_there_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOFLOW_INTERNAL_SERVICE_SECRET", "hush")
    monkeypatch.setattr(config, "ENABLE_INTERNAL_REMOTE_EXEC_HEADER", True)
    assert assemble([], ImagePlacement.JSON).headers is None


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
