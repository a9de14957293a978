"""What every call shares: identity, headers, billing, settings that come and go, bookkeeping."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from aiohttp import web

from inference_sdk import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPClientMode,
    InferenceConfiguration,
    InferenceHTTPClient,
)
from inference_sdk import config as sdk_config
from inference_sdk.config import (
    RemoteProcessingTimeCollector,
    execution_id,
    remote_processing_times,
)
from inference_sdk.http.errors import InvalidParameterError
from tests.callers import both_ways
from tests.unit.test_entities import VALUES
from tests.wire_calls import IMAGE, KEY, ROWS, Row, client_for, expected_warning, set_answers

SECRET = "secret-of-the-service"

every_call_of_v1 = pytest.mark.parametrize("row", [r for r in ROWS if "v1" in r.modes], ids=str)
every_call = pytest.mark.parametrize(
    ("row", "mode"), [(row, mode) for row in ROWS for mode in row.modes], ids=str
)


def make(call: Any, client: InferenceHTTPClient, row: Row) -> Any:
    image = {"inference_input": IMAGE} if row.images else {}
    with expected_warning(row):
        return call(client, row.method, **image, **row.arguments)


# -- identity ----------------------------------------------------------------------------------


def test_init_is_the_constructor():
    made = InferenceHTTPClient.init(api_url="https://detect.roboflow.com", api_key=KEY)
    assert repr(made) == repr(InferenceHTTPClient("https://detect.roboflow.com", KEY))


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("https://detect.roboflow.com", HTTPClientMode.V0),
        ("https://detect.roboflow.com/", HTTPClientMode.V0),
        ("https://serverless.roboflow.eu", HTTPClientMode.V0),
        ("https://serverless.roboflow-eu.one", HTTPClientMode.V0),
        ("https://detect.roboflow.com.evil.test", HTTPClientMode.V1),
        ("http://localhost:9001", HTTPClientMode.V1),
    ],
)
def test_the_address_decides_the_api(url, mode):
    assert InferenceHTTPClient(url).client_mode is mode


@both_ways
def test_a_slash_at_the_end_of_the_address_does_not_count(server, call):
    server.answer("/info", {"name": "a", "version": "1", "uuid": "u"})
    call(InferenceHTTPClient(f"{server.url}/"), "get_server_info")
    assert server.last.path == "/info"


@both_ways
@pytest.mark.parametrize(
    ("given", "variable", "used"),
    [
        (None, "key-of-the-environment", "key-of-the-environment"),
        (KEY, "key-of-the-environment", KEY),
        (None, "", None),
        (None, None, None),
    ],
)
def test_the_key_may_come_from_the_environment(server, call, monkeypatch, given, variable, used):
    if variable is not None:
        monkeypatch.setenv("ROBOFLOW_API_KEY", variable)
    call(InferenceHTTPClient(server.url, given), "ocr_image", IMAGE)
    assert server.last.json["api_key"] == used


def test_the_representation_helps_and_hides_the_key():
    client = InferenceHTTPClient("http://user:password@localhost:9001", KEY)
    client.select_model("coco/3")
    client.configure(InferenceConfiguration(service_secret=SECRET))
    shown = repr(client)
    assert "http://localhost:9001" in shown
    assert "'v1'" in shown
    assert "coco/3" in shown
    for secret in (KEY, SECRET, "password"):
        assert secret not in shown
    assert KEY not in str(vars(client))
    assert SECRET not in str(vars(client))


# -- headers -----------------------------------------------------------------------------------


@pytest.fixture
def running() -> Any:
    token = execution_id.set("execution-7")
    yield
    execution_id.reset(token)


@both_ways
@every_call
def test_every_request_carries_the_execution_id(server, call, running, row, mode):
    set_answers(server, row)
    make(call, client_for(server, mode), row)
    for request in server.requests:
        assert request.headers["execution_id"] == "execution-7"


@both_ways
def test_without_an_execution_there_is_no_such_header(server, call):
    call(client_for(server, "v1"), "ocr_image", IMAGE)
    assert "execution_id" not in server.last.headers


@both_ways
def test_the_header_of_the_execution_may_have_another_name(server, call, running, monkeypatch):
    monkeypatch.setattr(sdk_config, "EXECUTION_ID_HEADER", "X-Run")
    call(client_for(server, "v1"), "ocr_image", IMAGE)
    assert server.last.headers["X-Run"] == "execution-7"


@both_ways
@pytest.mark.parametrize(
    ("enabled", "secret", "execution", "sent"),
    [
        (True, SECRET, "execution-7", True),
        (False, SECRET, "execution-7", False),
        (True, None, "execution-7", False),
        (True, SECRET, None, False),
    ],
)
def test_the_internal_secret_needs_flag_variable_and_execution(
    server, call, monkeypatch, enabled, secret, execution, sent
):
    monkeypatch.setattr(sdk_config, "ENABLE_INTERNAL_REMOTE_EXEC_HEADER", enabled)
    if secret:
        monkeypatch.setenv("ROBOFLOW_INTERNAL_SERVICE_SECRET", secret)
    token = execution_id.set(execution)
    try:
        call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")
        of_image = server.last.headers
        call(client_for(server, "v1"), "get_clip_text_embeddings", "cat")
        of_text = server.last.headers
    finally:
        execution_id.reset(token)
    assert of_image.get("X-Internal-Remote-Exec-Req") == (secret if sent else None)
    assert "X-Internal-Remote-Exec-Req" not in of_text


# -- billing -----------------------------------------------------------------------------------


@both_ways
@every_call_of_v1
def test_billing_travels_in_the_query_of_calls_of_models(server, call, row):
    set_answers(server, row)
    client = client_for(server, "v1", count_inference=False, service_secret=SECRET)
    make(call, client, row)
    billed = {"countinference": ["False"], "service_secret": [SECRET]}
    *look_ups, last = server.requests
    assert {name: last.query.get(name) for name in billed} == (
        billed if row.of_a_model else dict.fromkeys(billed)
    )
    assert all("service_secret" not in request.query for request in look_ups)
    assert all(SECRET not in request.body.decode() for request in server.requests)


@contextmanager
def in_context(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


HAVE_PARAMETERS = {"infer", "infer_from_api_v1", "infer_many"}
"""Calls of models whose source travels among their own parameters only."""


@both_ways
@every_call_of_v1
def test_tags_of_the_context_travel_with_calls_of_models(server, call, row):
    set_answers(server, row)
    client = client_for(server, "v1", source="camera")
    with in_context(sdk_config.usage_source_tags, {"source_info": "yard", "app": "x"}):
        make(call, client, row)
    body = {"source": "camera", "source_info": "yard", "app": "x"}
    query = {name: [text] for name, text in {**body, "source_info_origin": "context"}.items()}
    sent = server.last
    expected = query if row.of_a_model and row.method not in HAVE_PARAMETERS else {}
    assert {name: text for name, text in sent.query.items() if name in query} == expected
    if row.body is not None:
        found = {name: text for name, text in sent.json.items() if name in body}
        assert found == (body if row.of_a_model else {})


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize(
    ("method", "arguments", "billed"),
    [
        ("ocr_image", {"inference_input": IMAGE}, True),
        ("get_clip_text_embeddings", {"text": "cat"}, True),
        ("run_workflow", {"workspace_name": "w", "workflow_id": "f"}, False),
    ],
)
def test_a_secret_of_the_context_is_billed(server, call, mode, method, arguments, billed):
    server.default = {"outputs": []}
    client = client_for(server, mode, service_secret="own", count_inference=True)
    with in_context(sdk_config.outbound_service_secret, SECRET):
        call(client, method, **arguments)
    sent = server.last.query
    secret, counts = sent.get("service_secret"), sent.get("countinference")
    assert (secret, counts) == (([SECRET], ["False"]) if billed else (None, None))


@both_ways
def test_the_secret_is_masked_as_the_key_is(server, call):
    server.default = lambda sent: web.json_response({"message": str(sent.query)}, status=400)
    client = client_for(server, "v1", service_secret=SECRET)
    with pytest.raises(HTTPCallErrorError) as caught:
        call(client, "ocr_image", IMAGE)
    assert "service_secret=se***ce" in caught.value.description
    assert SECRET not in caught.value.description


# -- settings of models ------------------------------------------------------------------------

TAKES_SETTINGS = {
    "infer",
    "infer_from_api_v1",
    "infer_on_video",
    "infer_on_video_from_api_v1",
    "get_image_embeddings",
}


@both_ways
@pytest.mark.parametrize(
    "row", [r for r in ROWS if "v1" in r.modes and r.method not in TAKES_SETTINGS], ids=str
)
def test_of_settings_only_the_source_travels_with_other_calls(server, call, row):
    set_answers(server, row)
    make(call, client_for(server, "v1"), row)
    plain = server.requests[:]
    make(call, client_for(server, "v1", **VALUES), row)
    source = {"source": "camera", "source_info": "hall"} if row.of_a_model else {}
    for before, after in zip(plain, server.requests[len(plain) :], strict=True):
        if row.body is None:
            assert after.body == before.body
        else:
            assert after.json == {**before.json, **source}


@both_ways
def test_embeddings_take_preprocessing_and_source(server, call):
    server.default = {"embeddings": [[1.0]]}
    client = client_for(server, "v1", **VALUES)
    call(client, "get_image_embeddings", IMAGE, model_id="resnet50", output_type="logits")
    assert server.last.json == {
        "api_key": KEY,
        "image": {"type": "base64", "value": IMAGE},
        "model_id": "resnet50",
        "output_type": "logits",
        "disable_preproc_auto_orient": True,
        "disable_preproc_contrast": True,
        "disable_preproc_grayscale": False,
        "disable_preproc_static_crop": True,
        "source": "camera",
        "source_info": "hall",
    }


TWO, NONE = [IMAGE, IMAGE], []
MISTAKES = [
    ("get_image_embeddings", (IMAGE, "a/1", "text"), "'feature_vector'"),
    ("sam3_3d_infer", (TWO, "mask"), "takes one image, got 2"),
    ("sam3_3d_infer", (NONE, "mask"), "takes one image, got 0"),
    ("clip_compare", ("a", "b", "sound", "text"), "subject_type is 'sound'"),
    ("clip_compare", ("a", "b", "text", "sound"), "prompt_type is 'sound'"),
]


@both_ways
@pytest.mark.parametrize(("method", "arguments", "message"), MISTAKES)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    server, call, method, arguments, message
):
    with pytest.raises(InvalidParameterError, match=message):
        call(client_for(server, "v1"), method, *arguments)
    assert server.requests == []


@both_ways
@pytest.mark.parametrize("model", ["tesseract", ""])
def test_an_unknown_ocr_model_is_a_value_error(server, call, model):
    with pytest.raises(ValueError, match="doctr"):
        call(client_for(server, "v1"), "ocr_image", IMAGE, model=model)
    assert server.requests == []


# -- settings that come and go -----------------------------------------------------------------

FAST = InferenceConfiguration(max_concurrent_requests=8)


def test_selecting_returns_the_client_and_stays():
    client = InferenceHTTPClient("http://localhost:9001")
    assert client.select_api_v0() is client
    assert client.client_mode is HTTPClientMode.V0
    assert client.select_api_v1() is client
    assert client.client_mode is HTTPClientMode.V1
    assert client.select_model("coco/3") is client
    assert client.selected_model == "coco/3"
    assert client.configure(FAST) is client
    assert client.inference_configuration is FAST


BLOCKS = [
    ("use_api_v0", (), "client_mode", HTTPClientMode.V0, HTTPClientMode.V1),
    ("use_api_v1", (), "client_mode", HTTPClientMode.V1, HTTPClientMode.V1),
    ("use_model", ("coco/3",), "selected_model", "coco/3", None),
    ("use_configuration", (FAST,), "inference_configuration", FAST, InferenceConfiguration()),
]


@pytest.mark.parametrize(("method", "arguments", "name", "inside", "outside"), BLOCKS)
def test_a_block_changes_a_setting_and_restores_it(method, arguments, name, inside, outside):
    client = InferenceHTTPClient("http://localhost:9001")
    with getattr(client, method)(*arguments) as same:
        assert same is client
        assert getattr(client, name) == inside
    assert getattr(client, name) == outside


@pytest.mark.parametrize(("method", "arguments", "name", "inside", "outside"), BLOCKS)
def test_a_block_that_raises_restores_too(method, arguments, name, inside, outside):
    client = InferenceHTTPClient("http://localhost:9001")
    with pytest.raises(KeyError), getattr(client, method)(*arguments):
        raise KeyError
    assert getattr(client, name) == outside


def test_blocks_nest():
    client = InferenceHTTPClient("http://localhost:9001").select_model("a/1")
    with client.use_model("b/2"), client.use_model("c/3"), client.use_api_v0():
        assert client.selected_model == "c/3"
    assert client.selected_model == "a/1"
    assert client.client_mode is HTTPClientMode.V1


def test_a_copy_with_options_never_changes_and_leaves_its_origin_alone():
    client = InferenceHTTPClient("http://localhost:9001", KEY)
    copied = client.with_options(
        model_id="coco/3", client_mode=HTTPClientMode.V0, timeout=(1, 600), max_batch_size=4
    )
    assert (copied.selected_model, copied.client_mode) == ("coco/3", HTTPClientMode.V0)
    assert copied.inference_configuration == InferenceConfiguration(
        connect_timeout=1, read_timeout=600, max_batch_size=4
    )
    assert (client.selected_model, client.client_mode) == (None, HTTPClientMode.V1)
    assert client.inference_configuration == InferenceConfiguration()
    assert copied.transport is client.transport
    for change in (copied.select_api_v1, copied.use_api_v1, lambda: copied.select_model("a/1")):
        with pytest.raises(HTTPClientError, match="with_options"):  # noqa: PT012
            changed = change()
            with changed:
                pass
    client.select_model("other/1")
    assert copied.selected_model == "coco/3"


def test_a_copy_takes_a_configuration_and_single_fields_over_it():
    copied = InferenceHTTPClient("http://localhost:9001").with_options(
        configuration=FAST, timeout=5, max_batch_size=2
    )
    assert copied.inference_configuration == InferenceConfiguration(
        max_concurrent_requests=8, read_timeout=5, max_batch_size=2
    )


@both_ways
@pytest.mark.parametrize(
    "copied", [lambda client: pickle.loads(pickle.dumps(client)), copy.deepcopy, copy.copy]
)
def test_a_client_goes_to_other_processes_with_its_settings(server, call, copied, monkeypatch):
    """Worker pools pickle what they are given; connections stay where they were opened."""
    monkeypatch.setenv("ROBOFLOW_API_KEY", KEY)  # of those that were pickled
    server.default = {"models": []}
    client = client_for(server, "v1", max_batch_size=2).select_model("coco/3")
    call(client, "list_loaded_models")
    other = copied(client)
    assert repr(other) == repr(client)
    assert other.inference_configuration == client.inference_configuration
    assert other.transport is not client.transport
    call(other, "unload_model", "coco/3")
    assert (other.selected_model, client.selected_model) == (None, "coco/3")


def test_a_pickled_copy_with_options_still_never_changes():
    copied = InferenceHTTPClient("http://localhost:9001").with_options(model_id="coco/3")
    with pytest.raises(HTTPClientError, match="with_options"):
        pickle.loads(pickle.dumps(copied)).select_model("a/1")


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(InvalidParameterError, match="max_batchsize"):
        InferenceHTTPClient("http://localhost:9001").with_options(max_batchsize=2)


@both_ways
def test_unloading_through_a_copy_leaves_its_selection(server, call):
    server.default = {"models": []}
    copied = client_for(server, "v1").with_options(model_id="coco/3")
    call(copied, "unload_model", "coco/3")
    assert copied.selected_model == "coco/3"


# -- bookkeeping -------------------------------------------------------------------------------


@pytest.fixture
def collector() -> Any:
    gathering = RemoteProcessingTimeCollector()
    token = remote_processing_times.set(gathering)
    yield gathering
    remote_processing_times.reset(token)


TIMED = {
    "X-Processing-Time": "0.25",
    "X-Model-Id": "coco/3, clip",
    "X-Model-Cold-Start": "true",
    "X-Model-Load-Time": "1.5",
    "X-Model-Load-Details": '[{"m": "coco/3", "t": 1.5}]',
}


def answer_with(headers: dict[str, str], body: Any = None) -> Any:
    return lambda _: web.json_response(body if body is not None else {}, headers=headers)


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize(
    ("method", "arguments", "model"),
    [
        ("infer_lmm", {"inference_input": IMAGE, "model_id": "my/1"}, {"v0": "my/1", "v1": "my/1"}),
        (
            "get_clip_text_embeddings",
            {"text": "cat"},
            {"v0": "clip", "v1": "clip"},
        ),
    ],
)
def test_what_a_server_reports_is_gathered(server, call, collector, mode, method, arguments, model):
    server.default = answer_with(TIMED)
    call(client_for(server, mode), method, **arguments)
    total, details = collector.summarize()
    assert total == 0.25
    assert json.loads(details) == [{"m": model[mode], "t": 0.25}]
    assert collector.snapshot_model_ids() == {"coco/3", "clip"}
    assert collector.snapshot_cold_start_entries() == [("coco/3", 1.5)]
    assert collector.snapshot_cold_start_count() == 1


@both_ways
def test_the_time_of_a_v0_call_is_booked_to_the_path(server, call, collector):
    server.default = answer_with(TIMED)
    call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")
    assert collector.drain() == [("coco/3", 0.25)]


@both_ways
def test_the_time_of_every_request_counts_also_from_other_threads(server, call, collector):
    server.default = answer_with({"X-Processing-Time": "0.25"})
    client = client_for(server, "v0", max_concurrent_requests=4)
    call(client, "infer", [IMAGE] * 8, model_id="coco/3")
    assert collector.drain() == [("coco/3", 0.25)] * 8


@both_ways
def test_the_time_of_a_refused_call_counts_too(server, call, collector):
    server.default = lambda _: web.json_response(
        {"message": "no"}, status=500, headers={"X-Processing-Time": "0.25"}
    )
    with pytest.raises(HTTPCallErrorError):
        call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")
    assert collector.drain() == [("coco/3", 0.25)]


@both_ways
def test_a_value_that_does_not_parse_is_logged_not_raised(server, call, collector, caplog):
    server.default = answer_with({"X-Processing-Time": "soon", "X-Model-Cold-Start": "true"})
    with caplog.at_level(logging.WARNING, logger="inference_sdk"):
        assert call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3") == {}
    assert "X-Processing-Time" in caplog.text
    assert not collector.has_data()
    assert collector.has_cold_start_data()


@both_ways
def test_the_header_of_the_time_may_have_another_name(server, call, collector, monkeypatch):
    monkeypatch.setattr(sdk_config, "PROCESSING_TIME_HEADER", "X-Seconds")
    server.default = answer_with({"X-Seconds": "2", "X-Processing-Time": "1"})
    call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3")
    assert collector.summarize()[0] == 2.0


@both_ways
def test_without_a_collector_nothing_is_gathered(server, call):
    server.default = answer_with(TIMED)
    assert call(client_for(server, "v0"), "infer", IMAGE, model_id="coco/3") == {}
