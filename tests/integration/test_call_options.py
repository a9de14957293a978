"""Options of a single call: what they send, for that call only; which are refused, and how."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from PIL import Image

from inference_sdk.http.call_options import (
    OF_IMAGES,
    ClipOptions,
    InferenceOptions,
    full_name,
)
from inference_sdk.http.entities import SETTINGS_OF_MODELS, HTTPClientMode
from inference_sdk.http.errors import InvalidInputFormatError, InvalidParameterError
from tests.callers import both_ways
from tests.integration.test_wire_infer import (
    COFFEE,
    DETECTION,
    TASKS,
    decoded,
    know_detector,
    pictures_sent,
)
from tests.recording_server import RecordingServer
from tests.unit.test_entities import VALUES, wire_names
from tests.wire_calls import client_for

RED, BLUE = (255, 0, 0), (0, 0, 255)

SENT = {
    "confidence": 0.4,
    "iou_threshold": 0.3,
    "max_detections": 7,
    "class_filter": ["cat"],
    "class_agnostic_nms": True,
}


def requests_for(server: RecordingServer, path: str) -> list[Any]:
    return [recorded.json for recorded in server.requests if recorded.path == path]


@both_ways
@pytest.mark.parametrize("method", ["infer", "infer_from_api_v1"])
def test_options_travel_with_their_call_and_with_no_other(server, call, method):
    know_detector(server)
    client = client_for(server, "v1", confidence_threshold=0.9)
    call(client, method, COFFEE, "coco/3", **SENT)
    call(client, method, COFFEE, "coco/3")
    with_options, without = requests_for(server, DETECTION)
    assert {name: with_options[name] for name in SENT} == SENT
    assert without["confidence"] == 0.9
    assert not without.keys() & SENT.keys() - {"confidence"}


@both_ways
def test_options_of_the_hosted_api_travel_in_the_query(server, call):
    call(client_for(server, "v0"), "infer", COFFEE, "coco/3", confidence=0.4, iou_threshold=0.3)
    assert server.last.query["confidence"] == ["0.4"]
    assert server.last.query["overlap"] == ["0.3"]


@both_ways
@pytest.mark.parametrize("task", TASKS)
def test_a_task_takes_what_it_knows_and_refuses_the_rest(server, call, task):
    path, kind = TASKS[task]
    server.answer("/model/registry", {"models": [{"model_id": "coco/3", "task_type": task}]})
    client = client_for(server, "v1")
    for option in OF_IMAGES:
        setting = full_name(option)
        if setting not in SETTINGS_OF_MODELS:
            continue
        options = {option: VALUES[setting]}
        if sent_as := wire_names(kind).get(setting):
            call(client, "infer", COFFEE, "coco/3", **options)
            assert server.last.json[sent_as] == VALUES[setting]
        else:
            before = len(requests_for(server, path))
            refusal = f"'{option}' is no option of 'coco/3': the task {task} takes .*confidence"
            with pytest.raises(InvalidParameterError, match=refusal):
                call(client, "infer", COFFEE, "coco/3", **options)
            assert len(requests_for(server, path)) == before


@both_ways
@pytest.mark.parametrize(
    ("option", "meant"), [("confidense", "confidence"), ("max_detection", "max_detections")]
)
def test_a_misspelt_option_is_refused_with_the_nearest_name(server, call, option, meant):
    with pytest.raises(InvalidParameterError, match=f"'{option}'; did you mean '{meant}'"):
        call(client_for(server, "v1"), "infer", COFFEE, "coco/3", **{option: 1})
    assert not server.requests


@both_ways
def test_an_option_like_no_other_is_refused_with_all_there_are(server, call):
    with pytest.raises(InvalidParameterError, match=r"'zzz'\. It is one of .*confidence.*iou_thr"):
        call(client_for(server, "v1"), "infer", COFFEE, "coco/3", zzz=1)
    with pytest.raises(
        InvalidParameterError, match=r"'confidence'\. It is one of class_filter, model_id, time"
    ):
        call(client_for(server, "v1"), "infer_on_video", "clip.mp4", "coco/3", confidence=1)
    assert not server.requests


@both_ways
def test_clips_take_a_filter(server, call, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    call(client_for(server, "v0"), "infer_on_video", clip, "coco/3", class_filter=["run", "walk"])
    assert server.last.query["class_filter"] == ["run,walk"]


def test_many_and_streams_take_them_too(server, tmp_path):
    know_detector(server)
    client = client_for(server, "v1")
    Image.open(COFFEE).resize((30, 20)).save(tmp_path / "a.jpg")
    list(client.infer_many([COFFEE], "coco/3", confidence=0.1))
    list(client.infer_on_stream(str(tmp_path), "coco/3", confidence=0.2))

    async def twins() -> None:
        async for _ in client.infer_many_async([COFFEE], "coco/3", confidence=0.3):
            pass
        async for _ in client.infer_on_stream_async(str(tmp_path), "coco/3", confidence=0.4):
            pass

    asyncio.run(twins())
    assert [sent["confidence"] for sent in requests_for(server, DETECTION)] == [0.1, 0.2, 0.3, 0.4]


def test_every_option_is_a_setting_and_typed():
    settings = set(VALUES) | {"color_order", "output_visualisation_format"}
    assert {full_name(option) for option in OF_IMAGES} - settings == {"timeout"}
    for options in (InferenceOptions, ClipOptions):
        assert get_type_hints(options).keys() == options.__annotations__.keys()
    assert HTTPClientMode.V0 == "v0"


# -- colours -----------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(("order", "seen"), [("rgb", RED), ("bgr", BLUE)])
@pytest.mark.parametrize("alpha", [False, True])
def test_arrays_may_be_rgb(server, call, order, seen, alpha):
    know_detector(server)
    color = (*RED, 255) if alpha else RED
    array = np.full((24, 32, len(color)), color, np.uint8)
    client = client_for(server, "v1", image_encoding="png")
    call(client, "infer", array, "coco/3", color_order=order)
    [picture] = pictures_sent(server.last)
    assert picture.size == (32, 24)
    assert picture.convert("RGB").getpixel((5, 5)) == seen


@both_ways
def test_every_call_heeds_the_order_of_the_client(server, call):
    client = client_for(server, "v1", image_encoding="png", color_order="rgb")
    array = np.full((24, 32, 3), RED, np.uint8)
    for given in (array, array[:, ::-1], array / 255, Image.fromarray(array)):
        call(client, "ocr_image", given)
        assert decoded(server.last.json["image"]["value"]).getpixel((5, 5)) == RED
    call(client, "ocr_image", array[:, :, 0])
    assert decoded(server.last.json["image"]["value"]).mode == "L"


def test_frames_come_and_go_in_the_order_of_the_client(server, tmp_path):
    know_detector(server)
    Image.new("RGB", (32, 24), RED).save(tmp_path / "a.png")
    client = client_for(server, "v1", image_encoding="png", color_order="rgb")
    [(_, frame, _)] = client.infer_on_stream(str(tmp_path), "coco/3")
    assert tuple(frame[5, 5]) == RED
    [picture] = pictures_sent(server.last)
    assert picture.getpixel((5, 5)) == RED


def test_another_order_is_refused(server):
    with pytest.raises(InvalidParameterError, match="'bgr', 'rgb'"):
        client_for(server, "v1").infer(COFFEE, "coco/3", color_order="grb")


# -- what infer does not take ------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_refused_before_the_model_is_looked_up(server, call, tmp_path, mode, kind):
    with pytest.raises(InvalidInputFormatError, match=r"a folder.*infer_many.*infer_on_stream"):
        call(client_for(server, mode), "infer", kind(tmp_path), "coco/3")
    assert not server.requests


@both_ways
@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_a_generator_is_refused_before_the_model_is_looked_up(server, call, mode):
    async def pictures() -> Any:
        yield COFFEE

    for given, right in ((iter([COFFEE]), "infer_many"), (pictures(), "infer_many_async")):
        with pytest.raises(InvalidInputFormatError, match=rf"{right}\(\) takes"):
            call(client_for(server, mode), "infer", given, "coco/3")
    assert not server.requests


def test_an_open_file_is_a_picture(server):
    know_detector(server)
    with COFFEE.open("rb") as file:
        client_for(server, "v1").infer(file, "coco/3")
    assert len(requests_for(server, DETECTION)) == 1


@pytest.mark.parametrize(
    "given", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), COFFEE, str(COFFEE), 3, None]
)
def test_many_is_told_from_one_before_the_model_is_looked_up(server, given):
    with pytest.raises(InvalidParameterError, match="takes an iterable of images"):
        next(client_for(server, "v1").infer_many(given, "coco/3"))
    assert not server.requests


def test_a_folder_is_not_many_but_its_files_are(server, tmp_path):
    with pytest.raises(InvalidParameterError, match=r"glob.*infer_on_stream\(\)"):
        next(client_for(server, "v1").infer_many(tmp_path, "coco/3"))


def test_a_stack_of_arrays_is_many(server):
    know_detector(server)
    stack = np.zeros((3, 8, 8, 3), np.uint8)
    assert len(list(client_for(server, "v1").infer_many(stack, "coco/3"))) == 3
