"""Servers whose answers a test has written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPCallErrorError
from inference_sdk.local import LocalServer

IMAGE = np.zeros((20, 30, 3), np.uint8)
CAT = {"x": 5, "y": 6, "width": 4, "height": 3, "confidence": 0.9, "class": "cat", "class_id": 0}

FORMS: dict[str, dict[str, Any]] = {
    "objects": {"predictions": [CAT]},
    "keypoints": {"predictions": [CAT | {"keypoints": []}]},
    "masks": {"predictions": [CAT | {"points": [{"x": 1, "y": 2}]}]},
    "class": {"predictions": [{"class": "cat", "class_id": 0, "confidence": 1}], "top": "cat"},
    "classes": {"predictions": {"cat": {"confidence": 1, "class_id": 0}}, "predicted_classes": []},
}


@pytest.mark.parametrize("process", [False, True])
def test_each_form_of_answer_comes_back_as_it_was_written(process: bool) -> None:
    server = LocalServer(answers={f"mine/{name}": form for name, form in FORMS.items()},
                         process=process)  # fmt: skip
    with server, InferenceHTTPClient(server.url) as client:
        for name, form in FORMS.items():
            answer = client.infer(IMAGE, model_id=f"mine/{name}")
            assert {key: answer[key] for key in form} == form
            assert answer["image"] == {"width": 30, "height": 20}


def test_no_predictions_of_a_public_model_keep_its_task() -> None:
    nothing: dict[str, Any] = {"predictions": []}
    answers = {
        "yolov8n-640": nothing,
        "yolov8n-pose-640": nothing,
        "doctr/default": {"result": "A"},
    }
    with LocalServer(answers=answers) as server, InferenceHTTPClient(server.url) as client:
        assert client.infer(IMAGE, model_id="yolov8n-640")["predictions"] == []
        assert client.infer(IMAGE, model_id="yolov8n-pose-640")["predictions"] == []
        assert client.ocr_image(IMAGE)["result"] == "A"


def test_answers_one_after_the_other_and_failures() -> None:
    answers = {"mine/1": [FORMS["objects"], 422, {"predictions": []}]}
    with LocalServer(answers=answers) as server, InferenceHTTPClient(server.url) as client:
        assert len(client.infer(IMAGE, model_id="mine/1")["predictions"]) == 1
        with pytest.raises(HTTPCallErrorError) as failed:
            client.infer(IMAGE, model_id="mine/1")
        assert failed.value.status_code == 422
        for _ in range(2):
            assert client.infer(IMAGE, model_id="mine/1")["predictions"] == []


def test_an_answer_that_depends_on_the_picture() -> None:
    def judge(image: np.ndarray) -> dict[str, Any]:
        assert image.dtype == np.uint8
        return {"predictions": [CAT] if image.mean() > 100 else []}

    with (
        LocalServer(answers={"mine/1": judge}) as server,
        InferenceHTTPClient(server.url) as client,
    ):
        assert client.infer(IMAGE, model_id="mine/1")["predictions"] == []
        assert len(client.infer(IMAGE + 200, model_id="mine/1")["predictions"]) == 1
    with pytest.raises(TypeError, match="cannot move to another process"):
        LocalServer(answers={"mine/1": judge}, process=True)


@pytest.mark.parametrize(
    ("answer", "kind"), [("cat", TypeError), ([], ValueError), (None, TypeError)]
)
def test_what_is_no_answer_is_told_at_the_start(answer: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"answers\['mine/1'\]"):
        LocalServer(answers={"mine/1": answer}).start()
