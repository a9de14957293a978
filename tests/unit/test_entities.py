"""Values that the caller, the client and the server exchange."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inference_sdk import (
    HTTPClientMode,
    InferenceConfiguration,
    VisualisationResponseFormat,
    config,
)
from inference_sdk.http.entities import (
    ApiKeyTransport,
    ModelDescription,
    RegisteredModels,
    RequestMethod,
    ServerInfo,
    get_non_empty_attributes,
)
from inference_sdk.http.errors import (
    HTTPClientError,
    InvalidParameterError,
    ModelTaskTypeNotSupportedError,
)

# -- what servers say of themselves ------------------------------------------------------------

INFO = {"name": "Roboflow Inference Server", "version": "0.60.0", "uuid": "abc"}
DETECTOR = {
    "model_id": "coco/3",
    "task_type": "object-detection",
    "batch_size": "batch",
    "input_height": 480,
    "input_width": 640,
}
WIRE_VALUES = [
    (ServerInfo, INFO),
    (ModelDescription, DETECTOR),
    (RegisteredModels, {"models": [DETECTOR]}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE_VALUES)
def test_a_value_goes_to_the_wire_and_back(cls: Any, wire: dict[str, Any]):
    value = cls.from_dict(wire)
    assert value.to_dict() == wire
    assert json.loads(value.to_json()) == wire
    assert cls.from_json(value.to_json()) == cls.from_json(value.to_json().encode()) == value


@pytest.mark.parametrize(("cls", "wire"), WIRE_VALUES)
def test_a_value_is_frozen_and_ignores_unknown_keys(cls: Any, wire: dict[str, Any]):
    value = cls.from_dict({**wire, "added_in_2031": 1})
    assert value == cls.from_dict(wire)
    name = dataclasses.fields(cls)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize(
    ("cls", "wire", "message"),
    [
        (ServerInfo, {"name": "a", "version": "1"}, "ServerInfo lacks the key 'uuid'"),
        (ModelDescription, {"model_id": "a/1"}, "ModelDescription lacks the key 'task_type'"),
        (RegisteredModels, {}, "RegisteredModels lacks the key 'models'"),
        (RegisteredModels, {"models": None}, "'models' is null"),
        (RegisteredModels, {"models": "coco/3"}, "'models' is the text 'coco/3'"),
        (ModelDescription, {"model_id": "a/1", "task_type": ["a"]}, "'task_type' is a list of 1"),
        (ModelDescription, {"model_id": {}, "task_type": "a"}, "'model_id' is an object"),
        (
            ModelDescription,
            {"model_id": "a/1", "task_type": "a", "input_width": "640"},
            "'input_width' is the text '640'",
        ),
        (ServerInfo, {"name": True, "version": "1", "uuid": "u"}, "'name' is true"),
        (ServerInfo, {"name": "a", "version": 1.5, "uuid": "u"}, "'version' is the number 1.5"),
        (RegisteredModels, {"models": [{}]}, "ModelDescription lacks the key 'model_id'"),
        (RegisteredModels, {"models": ["coco/3"]}, "must be a JSON object, got str"),
        (ServerInfo, ["a"], "must be a JSON object, got list"),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_a_clear_error(cls: Any, wire: Any, message: str):
    with pytest.raises(HTTPClientError, match=message):
        cls.from_dict(wire)


def test_text_that_is_no_json_is_a_clear_error():
    with pytest.raises(HTTPClientError, match="ServerInfo is not JSON"):
        ServerInfo.from_json("<html>")


def test_what_a_model_does_not_say_of_itself_is_none():
    description = ModelDescription(model_id="a/1", task_type="classification")
    assert description.batch_size is None
    assert description.input_height is None
    assert description.input_width is None


# -- modes and enums ---------------------------------------------------------------------------

HOSTED = [
    *(
        f"https://{service}.roboflow.com"
        for service in ("detect", "outline", "classify", "infer", "serverless", "asyncinfer")
    ),
    "https://serverless.roboflow.one",
    "https://asyncinfer.roboflow.one",
    "https://serverless.roboflow.eu",
    "https://serverless.roboflow-eu.one",
    "https://detect.roboflow.com/some/path",
]
NOT_HOSTED = [
    "http://localhost:9001",
    "http://detect.roboflow.com",
    "https://detect.roboflow.com.evil.test",
    "https://detect.roboflow.community",
    "https://detect.roboflow.com@evil.test",
    "https://app.roboflow.com",
    "https://detect.roboflow.one",
    "https://evil.test/https://detect.roboflow.com",
    "",
]


@pytest.mark.parametrize("url", HOSTED)
def test_hosted_addresses_speak_v0(url: str):
    assert HTTPClientMode.from_url(url) is HTTPClientMode.V0


@pytest.mark.parametrize("url", NOT_HOSTED)
def test_all_other_addresses_speak_v1(url: str):
    assert HTTPClientMode.from_url(url) is HTTPClientMode.V1


def test_enums_that_are_texts_compare_as_such():
    assert HTTPClientMode.V0 == "v0"
    assert VisualisationResponseFormat.NUMPY == "numpy"
    assert ApiKeyTransport.HEADER == "header"
    assert RequestMethod.GET.value == "get"


# -- parameters --------------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "confidence_threshold": 0.5,
    "keypoint_confidence_threshold": 0.4,
    "format": "image",
    "mask_decode_mode": "accurate",
    "tradeoff_factor": 0.3,
    "max_candidates": 1000,
    "max_detections": 100,
    "iou_threshold": 0.6,
    "stroke_width": 2,
    "count_inference": True,
    "service_secret": "secret-of-the-service",
    "disable_preproc_auto_orientation": True,
    "disable_preproc_contrast": True,
    "disable_preproc_grayscale": False,
    "disable_preproc_static_crop": True,
    "class_agnostic_nms": False,
    "class_filter": ["cat", "dog"],
    "fix_batch_size": True,
    "visualize_predictions": True,
    "visualize_labels": True,
    "disable_active_learning": True,
    "active_learning_target_dataset": "cats",
    "source": "camera",
    "source_info": "hall",
    "include_anomaly_map": True,
    "response_mask_format": "rle",
    "allow_reduced_mask_resolution": True,
}
"""A value for each field that travels."""

TABLE = """
field                            | legacy                         | detection                      | keypoints                      | segmentation                   | classification
confidence_threshold             | confidence                     | confidence                     | confidence                     | confidence                     | confidence
keypoint_confidence_threshold    | keypoint_confidence            |                                | keypoint_confidence            |                                |
format                           | format                         |                                |                                |                                |
mask_decode_mode                 | mask_decode_mode               |                                |                                | mask_decode_mode               |
tradeoff_factor                  | tradeoff_factor                |                                |                                | tradeoff_factor                |
max_candidates                   |                                | max_candidates                 | max_candidates                 | max_candidates                 |
max_detections                   | max_detections                 | max_detections                 | max_detections                 | max_detections                 |
iou_threshold                    | overlap                        | iou_threshold                  | iou_threshold                  | iou_threshold                  |
stroke_width                     | stroke                         | visualization_stroke_width     | visualization_stroke_width     | visualization_stroke_width     | visualization_stroke_width
count_inference                  | countinference                 |                                |                                |                                |
service_secret                   | service_secret                 |                                |                                |                                |
disable_preproc_auto_orientation | disable_preproc_auto_orient    | disable_preproc_auto_orient    | disable_preproc_auto_orient    | disable_preproc_auto_orient    | disable_preproc_auto_orient
disable_preproc_contrast         | disable_preproc_contrast       | disable_preproc_contrast       | disable_preproc_contrast       | disable_preproc_contrast       | disable_preproc_contrast
disable_preproc_grayscale        | disable_preproc_grayscale      | disable_preproc_grayscale      | disable_preproc_grayscale      | disable_preproc_grayscale      | disable_preproc_grayscale
disable_preproc_static_crop      | disable_preproc_static_crop    | disable_preproc_static_crop    | disable_preproc_static_crop    | disable_preproc_static_crop    | disable_preproc_static_crop
class_agnostic_nms               |                                | class_agnostic_nms             | class_agnostic_nms             | class_agnostic_nms             |
class_filter                     |                                | class_filter                   | class_filter                   | class_filter                   |
fix_batch_size                   |                                | fix_batch_size                 | fix_batch_size                 | fix_batch_size                 |
visualize_predictions            |                                | visualize_predictions          | visualize_predictions          | visualize_predictions          | visualize_predictions
visualize_labels                 | labels                         | visualization_labels           | visualization_labels           | visualization_labels           |
disable_active_learning          | disable_active_learning        | disable_active_learning        | disable_active_learning        | disable_active_learning        | disable_active_learning
active_learning_target_dataset   | active_learning_target_dataset | active_learning_target_dataset | active_learning_target_dataset | active_learning_target_dataset | active_learning_target_dataset
source                           | source                         | source                         | source                         | source                         | source
source_info                      | source_info                    | source_info                    | source_info                    | source_info                    | source_info
include_anomaly_map              | include_anomaly_map            |                                |                                |                                | include_anomaly_map
response_mask_format             | response_mask_format           |                                |                                | response_mask_format           |
allow_reduced_mask_resolution    | allow_reduced_mask_resolution  |                                |                                | allow_reduced_mask_resolution  |
"""
"""Name of each field on the wire, by kind of call."""

ALWAYS_SENT = {
    "visualize_predictions": False,
    "disable_active_learning": False,
    "allow_reduced_mask_resolution": False,
}
"""Fields whose default is not None, so that they travel in any case."""

KINDS = {
    "legacy": "to_legacy_call_parameters",
    "detection": "to_object_detection_parameters",
    "keypoints": "to_keypoints_detection_parameters",
    "segmentation": "to_instance_segmentation_parameters",
    "classification": "to_classification_parameters",
}


def wire_names(kind: str) -> dict[str, str]:
    head, *rows = ([cell.strip() for cell in row.split("|")] for row in TABLE.strip().split("\n"))
    column = head.index(kind)
    return {row[0]: row[column] for row in rows if row[column]}


@pytest.mark.parametrize(("cls", "wire"), WIRE_VALUES)
def test_programs_that_know_dataclasses_json_go_on(cls: Any, wire: dict[str, Any]) -> None:
    value = cls.from_dict(wire)
    assert value.to_json() == json.dumps(wire)
    assert value.to_json(indent=2, sort_keys=True) == json.dumps(wire, indent=2, sort_keys=True)
    assert value.to_dict(encode_json=True) == wire
    schema = cls.schema()
    assert schema.load(wire) == schema.loads(json.dumps(wire)) == value
    assert schema.dump(value) == json.loads(schema.dumps(value)) == wire
    assert schema.load([wire], many=True) == cls.schema(many=True).loads(json.dumps([wire]))
    assert cls.schema(many=True).dump([value]) == schema.dump([value], many=True) == [wire]
    assert json.loads(schema.dumps([value], many=True)) == [wire]


@pytest.mark.parametrize(("cls", "wire"), WIRE_VALUES)
def test_what_is_missing_is_a_key_error_or_inferred(cls: Any, wire: dict[str, Any]) -> None:
    with pytest.raises(KeyError) as caught:
        cls.from_dict({})
    assert isinstance(caught.value, HTTPClientError)
    assert str(caught.value) == f"{cls.__name__} lacks the key {next(iter(wire))!r}."
    inferred = cls.from_json("{}", infer_missing=True)
    assert getattr(inferred, next(iter(wire))) is None


@pytest.mark.parametrize("many", [False, True])
def test_text_that_is_no_json_is_a_value_error(many: bool) -> None:
    with pytest.raises(ValueError, match="not JSON") as caught:
        ServerInfo.schema().loads("<html>", many=many)
    assert isinstance(caught.value, HTTPClientError)


def test_the_table_names_every_field_that_travels():
    assert set(wire_names("field")) == set(VALUES)
    stays = {field.name for field in dataclasses.fields(InferenceConfiguration)} - set(VALUES)
    assert stays == {
        "image_max_value",
        "output_visualisation_format",
        "image_extensions_for_directory_scan",
        "client_downsizing_disabled",
        "default_max_input_size",
        "max_concurrent_requests",
        "max_batch_size",
        "profiling_directory",
        "workflow_run_retries_enabled",
        "api_key_transport",
        "image_encoding",
        "image_quality",
        "color_order",
        "connect_timeout",
        "read_timeout",
        "total_timeout",
        "idle_timeout",
        "max_response_size",
        "max_tries",
        "model_description_ttl",
        "on_stream_error",
        "retry_backoff",
        "retry_after_limit",
        "retry_budget",
        "retry_statuses",
        "proxy",
        "verify",
        "client_certificate",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_set_field_travels_under_its_name(kind: str):
    parameters = getattr(InferenceConfiguration(**VALUES), KINDS[kind])()
    assert parameters == {wire: VALUES[field] for field, wire in wire_names(kind).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_set_is_left_out(kind: str):
    parameters = getattr(InferenceConfiguration.init_default(), KINDS[kind])()
    names = wire_names(kind)
    assert parameters == {names[f]: value for f, value in ALWAYS_SENT.items() if f in names}


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("object-detection", "detection"),
        ("keypoint-detection", "keypoints"),
        ("instance-segmentation", "segmentation"),
        ("classification", "classification"),
    ],
)
def test_the_task_decides_in_v1_and_nothing_does_in_v0(task: str, kind: str):
    configuration = InferenceConfiguration(**VALUES)
    expected = getattr(configuration, KINDS[kind])()
    assert configuration.to_api_call_parameters(HTTPClientMode.V1, task) == expected
    legacy = configuration.to_legacy_call_parameters()
    assert configuration.to_api_call_parameters(HTTPClientMode.V0, task) == legacy
    assert configuration.to_api_call_parameters(HTTPClientMode.V0, "anything") == legacy


def test_an_unknown_task_is_refused_in_v1():
    with pytest.raises(ModelTaskTypeNotSupportedError, match="'mind-reading'"):
        InferenceConfiguration().to_api_call_parameters(HTTPClientMode.V1, "mind-reading")


@pytest.fixture
def tags() -> Iterator[Callable[[dict[str, str]], None]]:
    token = config.usage_source_tags.set({})
    yield lambda given: config.usage_source_tags.set(given) and None
    config.usage_source_tags.reset(token)


def test_tags_of_the_context_join_the_source_and_win(tags):
    configuration = InferenceConfiguration(source="camera", source_info="hall")
    own = {"source": "camera", "source_info": "hall"}
    assert configuration.to_source_parameters(include_origin=True) == own
    tags({"source": "upload", "app": "x"})
    tagged = {"source": "upload", "source_info": "hall", "app": "x"}
    assert configuration.to_source_parameters(include_origin=True) == tagged
    tags({"source_info": "yard"})
    tagged = {"source": "camera", "source_info": "yard"}
    assert configuration.to_source_parameters() == tagged
    assert configuration.to_source_parameters(include_origin=True) == {
        **tagged,
        "source_info_origin": "context",
    }
    assert configuration.to_object_detection_parameters()["source_info"] == "yard"
    assert configuration.to_legacy_call_parameters()["source_info_origin"] == "context"


def test_a_secret_of_the_context_is_billed_and_not_counted():
    configuration = InferenceConfiguration(count_inference=True, service_secret="own")
    token = config.outbound_service_secret.set("outer")
    try:
        billed = {"service_secret": "outer", "countinference": False}
        assert configuration.to_billing_query_parameters() == billed
        assert configuration.to_legacy_call_parameters().items() >= billed.items()
    finally:
        config.outbound_service_secret.reset(token)


def test_billing_parameters_are_none_when_nothing_is_set():
    assert InferenceConfiguration().to_billing_query_parameters() is None
    assert InferenceConfiguration().to_api_v1_query_parameters() is None
    billed = InferenceConfiguration(count_inference=False, service_secret="s")
    assert billed.to_billing_query_parameters() == {
        "countinference": False,
        "service_secret": "s",
    }
    assert billed.to_api_v1_query_parameters() == billed.to_billing_query_parameters()


def test_get_non_empty_attributes_renames_and_drops_none_only():
    configuration = InferenceConfiguration(iou_threshold=0.0, class_filter=[])
    specification = [("iou_threshold", "iou"), ("class_filter", "classes"), ("format", "format")]
    assert get_non_empty_attributes(configuration, specification) == {"iou": 0.0, "classes": []}


# -- the configuration as a value --------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("api_key_transport", "carrier pigeon", "'legacy', 'both', 'header'"),
        ("confidence_threshold", "high", "'best', 'default'"),
        ("response_mask_format", "png", "'polygon', 'rle'"),
        ("image_encoding", "bmp", "'jpeg', 'png', 'webp'"),
        ("on_stream_error", "ignore", "'raise', 'return'"),
        ("image_quality", 0, "not 1..100"),
        ("image_quality", 101, "not 1..100"),
        ("connect_timeout", 0, "above 0"),
        ("read_timeout", -1.0, "above 0"),
        ("max_tries", 0, "above 0"),
        ("retry_budget", -1, "below 0"),
        ("retry_statuses", [200], "400 to 599"),
        ("retry_statuses", 503, "400 to 599"),
        ("retry_statuses", ["503"], "400 to 599"),
    ],
)
def test_a_value_out_of_range_is_refused_at_once(field: str, value: Any, message: str):
    with pytest.raises(InvalidParameterError, match=message) as caught:
        InferenceConfiguration(**{field: value})
    assert field in str(caught.value)


@pytest.mark.parametrize("value", ["best", "default", 0.5, None])
def test_a_threshold_may_be_a_word_that_the_server_knows(value: Any):
    assert InferenceConfiguration(confidence_threshold=value).confidence_threshold == value


@pytest.mark.parametrize("value", [None, "legacy", "both", "header", ApiKeyTransport.BOTH])
def test_the_transport_of_the_key_may_be_text_or_enum(value: Any):
    assert InferenceConfiguration(api_key_transport=value).api_key_transport == value
    assert ApiKeyTransport.parse(value) == (value or "legacy")


def test_time_outs_may_be_switched_off():
    patient = InferenceConfiguration(connect_timeout=None, read_timeout=None)
    assert (patient.connect_timeout, patient.read_timeout) == (None, None)


@pytest.mark.parametrize("name", ["retry_backoff", "retry_after_limit"])
def test_a_pause_is_never_negative(name: str):
    assert getattr(InferenceConfiguration(**{name: 0}), name) == 0
    with pytest.raises(InvalidParameterError, match=f"{name} is -1"):
        InferenceConfiguration(**{name: -1})


def test_what_is_done_to_one_configuration_does_not_reach_the_others():
    InferenceConfiguration().image_extensions_for_directory_scan.append("gif")  # type: ignore[union-attr]
    assert "gif" not in InferenceConfiguration().image_extensions_for_directory_scan  # type: ignore[operator]


def test_a_configuration_is_frozen_copies_and_pickles():
    configuration = InferenceConfiguration(confidence_threshold=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.confidence_threshold = 0.6  # type: ignore[misc]
    assert dataclasses.replace(configuration, max_batch_size=4).confidence_threshold == 0.5
    assert pickle.loads(pickle.dumps(configuration)) == configuration


def test_a_configuration_shows_no_secret():
    configuration = InferenceConfiguration(
        service_secret="do-not-show", proxy="http://user:do-not-show@proxy.test"
    )
    assert "do-not-show" not in repr(configuration)


@pytest.mark.parametrize("value", ["", "cookie"])
def test_a_transport_that_there_is_not_is_refused(value: str):
    with pytest.raises(InvalidParameterError, match="'legacy', 'both', 'header'"):
        InferenceConfiguration(api_key_transport=value)
