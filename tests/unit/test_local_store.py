"""The store: who answers to which id, and what is loaded."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from inference_sdk.http.utils.aliases import REGISTERED_ALIASES
from inference_sdk.local.faults import UnknownModelError
from inference_sdk.local.models import InferenceParameters, ModelStore, sharing
from inference_sdk.local.models.network import Network


class Brightness:
    """A model of a user's own."""

    def __init__(self, model_id: str) -> None:
        self.description = {"model_id": model_id, "task_type": "classification"}

    def infer(self, image: np.ndarray, parameters: InferenceParameters) -> dict[str, Any]:
        return {"top": "dark" if image.mean() < 128 else "light"}


@pytest.mark.parametrize(
    ("project", "task_type"),
    [
        ("coco", "object-detection"),
        ("coco-pose-detection", "keypoint-detection"),
        ("coco-dataset-vdnr1", "instance-segmentation"),
    ],
)
def test_every_public_alias_of_the_family_is_answered(project: str, task_type: str) -> None:
    store = ModelStore()
    aliases = [a for a, model_id in REGISTERED_ALIASES.items() if model_id.split("/")[0] == project]
    assert len(aliases) > 5
    for alias in aliases:
        assert store.get(alias).description["task_type"] == task_type
        assert store.get(alias) is store.get(REGISTERED_ALIASES[alias])


def test_the_description_says_which_model_really_answers() -> None:
    description = ModelStore().get("yolov8n-640").description
    assert description["model_id"] == "coco/3"
    assert "CenterNet" in description["answered_by"]
    assert description["input_height"] == description["input_width"] == 512
    assert description["batch_size"] == 1


def test_unknown_models_are_refused_with_those_there_are() -> None:
    store = ModelStore()
    store.register("mine/1", Brightness)
    for model_id in ("foo/1", "coco", "coco/x", "xcoco/3", "florence-2-base"):
        assert not store.knows(model_id)
        with pytest.raises(UnknownModelError, match=r"coco/3 .* mine/1"):
            store.get(model_id)
    assert store.registered() == []


def test_registered_models_answer_to_alias_and_id_and_replace_packaged_ones() -> None:
    store = ModelStore()
    assert store.get("coco/3").description["task_type"] == "object-detection"
    store.register("yolov8n-640", Brightness)
    assert not store.is_loaded("coco/3")
    assert store.knows("coco/3")
    assert store.get("coco/3").description == {"model_id": "coco/3", "task_type": "classification"}


def test_adding_lists_and_removing_unlists() -> None:
    store = ModelStore()
    store.add("coco/3")
    store.add("yolov8n-640")
    store.add("coco-pose-detection/1")
    assert [d["model_id"] for d in store.registered()] == ["coco/3", "coco-pose-detection/1"]
    assert store.load_time("yolov8n-640") > 0
    store.remove("yolov8n-640")
    store.remove("yolov8n-640")
    assert [d["model_id"] for d in store.registered()] == ["coco-pose-detection/1"]
    assert store.load_time("coco/3") == 0
    store.clear()
    assert store.registered() == []


def test_a_file_is_loaded_once_and_freed_when_no_model_uses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Servers of other tests may still be there, with their models.
    monkeypatch.setattr(sharing, "_there", weakref.WeakValueDictionary())
    store = ModelStore()
    network = weakref.ref(Network.shared("coco-movenet-multipose.onnx"))
    gc.collect()
    assert network() is None
    store.add("coco-pose-detection/1")
    first = Network.shared("coco-movenet-multipose.onnx")
    store.add("coco-pose-detection/2")
    assert Network.shared("coco-movenet-multipose.onnx") is first


def test_threads_that_ask_at_once_get_the_same_model_made_once() -> None:
    made: list[str] = []
    gate = threading.Barrier(8)

    def make(model_id: str) -> Brightness:
        made.append(model_id)
        return Brightness(model_id)

    store = ModelStore()
    store.register("mine/1", make)
    got: list[object] = []

    def ask() -> None:
        gate.wait(10)
        got.append(store.get("mine/1"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == ["mine/1"]
    assert len(got) == 8
    assert len(set(map(id, got))) == 1
