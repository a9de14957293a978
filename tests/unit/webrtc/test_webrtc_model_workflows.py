"""A model as a workflow of one step, and where its task is known from."""

from __future__ import annotations

import pytest
import requests

from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPServerConnectionError,
    InvalidServerResponseError,
    ModelTaskTypeNotSupportedError,
)
from inference_sdk.webrtc.config import StreamConfig
from inference_sdk.webrtc.model_workflows import (
    TASK_TYPE_TO_BLOCK,
    apply_model_id_defaults,
    build_model_workflow,
    resolve_task_type,
)

URL = "https://api.roboflow.com/models/v1/external/stat"


@pytest.mark.parametrize("task", TASK_TYPE_TO_BLOCK)
def test_each_task_has_its_step(task):
    workflow = build_model_workflow("me/3", task)
    assert workflow["inputs"] == [{"type": "InferenceImage", "name": "image"}]
    (step,) = workflow["steps"]
    assert step["type"] == f"roboflow_core/roboflow_{task.replace('-', '_')}_model@v2"
    assert step["model_id"] == "me/3"
    assert step["images"] == "$inputs.image"
    assert {output["name"] for output in workflow["outputs"]} == {"predictions", "image"}


def test_a_task_without_a_step():
    with pytest.raises(ModelTaskTypeNotSupportedError, match="object-detection"):
        build_model_workflow("me/3", "poetry")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("object-detection", "object-detection"),
        ("Object_Detection", "object-detection"),
        ("single-label-classification", "classification"),
    ],
)
def test_a_given_task_is_not_asked_for(given, normal):
    assert resolve_task_type("me/3", given, None) == normal


def test_the_platform_is_asked_with_the_key_in_a_header(requests_mock):
    requests_mock.get(URL, json={"modelMetadata": {"taskType": "keypoint-detection"}})
    assert resolve_task_type("me/3", None, "secret-0123") == "keypoint-detection"
    asked = requests_mock.last_request
    assert asked.qs == {"modelid": ["me/3"]}
    assert asked.headers["Authorization"] == "Bearer secret-0123"
    assert asked.timeout == 10
    assert "secret" not in asked.url


def test_without_a_key_no_header_is_sent(requests_mock):
    requests_mock.get(URL, json={"modelMetadata": {"taskType": "classification"}})
    resolve_task_type("me/3", None, None)
    assert "Authorization" not in requests_mock.last_request.headers


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status_code": 401, "text": "no"}, HTTPCallErrorError),
        ({"status_code": 200, "text": "no json"}, InvalidServerResponseError),
        ({"json": {}}, InvalidServerResponseError),
        ({"json": {"modelMetadata": {"taskType": None}}}, InvalidServerResponseError),
        ({"json": []}, InvalidServerResponseError),
        ({"exc": requests.ConnectTimeout}, HTTPServerConnectionError),
        ({"json": {"modelMetadata": {"taskType": "poetry"}}}, ModelTaskTypeNotSupportedError),
    ],
)
def test_answers_of_the_platform_that_do_not_help(requests_mock, answer, error):
    requests_mock.get(URL, **answer)
    with pytest.raises(error) as raised:
        resolve_task_type("me/3", None, "secret-0123")
    assert "me/3" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_the_defaults_of_a_models_stream():
    config = apply_model_id_defaults(None)
    assert (config.stream_output, config.data_output) == (["image"], ["predictions"])


def test_what_the_caller_set_stays():
    given = StreamConfig(stream_output=["other"], data_output=["more"], declared_fps=5)
    config = apply_model_id_defaults(given)
    assert config.stream_output == ["other"]
    assert config.data_output == ["more", "predictions"]
    assert config.declared_fps == 5
    assert given.data_output == ["more"]
