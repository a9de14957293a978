"""The four methods by which Roboflow's command line times bare requests."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from inference_sdk import HTTPCallErrorError
from inference_sdk.http.errors import InvalidParameterError
from tests.recording_server import RecordingServer
from tests.wire_calls import IMAGE, PICTURE, client_for, knows


@pytest.mark.parametrize(("mode", "path"), [("v0", "/coco/3"), ("v1", "/infer/object_detection")])
def test_requests_of_infer_are_prepared_and_then_sent(
    server: RecordingServer, mode: str, path: str
) -> None:
    server.answer("/model/registry", knows("object-detection")["/model/registry"])
    server.answer(path, {"time": 1}, {"time": 2})
    client = client_for(server, mode).select_model("coco/3")
    prepare = getattr(client, f"_prepare_infer_from_api_{mode}_request_data")
    requests = prepare(inference_input=[IMAGE, IMAGE])
    assert path not in [sent.path for sent in server.requests]

    responses = client._execute_infer_from_api_request(requests_data=requests)
    assert [response.json()["time"] for response in responses] == [1, 2]
    bare = [(sent.body, sent.query) for sent in server.requests if sent.path == path]
    client.infer([IMAGE, IMAGE])
    sent = [(sent.body, sent.query) for sent in server.requests if sent.path == path]
    assert sent == bare * 2


def test_no_requests_are_no_answers(server: RecordingServer) -> None:
    assert client_for(server, "v1")._execute_infer_from_api_request(requests_data=[]) == []


def test_a_refusal_is_that_of_infer(server: RecordingServer) -> None:
    client = client_for(server, "v0").select_model("coco/3")
    requests = client._prepare_infer_from_api_v0_request_data(inference_input=IMAGE)
    server.default = lambda sent: web.json_response({"message": "not yours"}, status=403)
    with pytest.raises(HTTPCallErrorError, match="not yours"):
        client._execute_infer_from_api_request(requests_data=requests)


NAMED: dict[str, Any] = {"workspace_name": "w", "workflow_id": "f"}


@pytest.mark.parametrize(
    ("legacy", "path"), [(False, "/w/workflows/f"), (True, "/infer/workflows/w/f")]
)
def test_a_workflow_is_sent_and_its_answer_given_as_it_came(
    server: RecordingServer, legacy: bool, path: str
) -> None:
    server.answer(path, {"outputs": [PICTURE], "time": 3})
    response = client_for(server, "v1")._execute_workflow_request(
        **NAMED, images={"image": IMAGE}, legacy_endpoints=legacy
    )
    assert response.json() == {"outputs": [PICTURE], "time": 3}
    assert server.last.json["inputs"] == {"image": PICTURE}


def test_a_workflow_has_to_be_named(server: RecordingServer) -> None:
    with pytest.raises(InvalidParameterError):
        client_for(server, "v1")._execute_workflow_request(workspace_name="w")
