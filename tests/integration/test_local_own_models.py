"""The embedded server with models of one's own: files, folders, the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference_sdk import InferenceHTTPClient
from inference_sdk.cli import main
from inference_sdk.http.errors import HTTPCallErrorError
from inference_sdk.local import LocalServer, ModelFile, ModelStore, UnusableModelError
from tests.onnx_files import ULTRALYTICS, columns, constant, mean_classifier

RED = np.full((40, 60, 3), (0, 0, 255), np.uint8)
CAT = columns([32, 32, 16, 8, 0.9, 0.1])


@pytest.mark.parametrize("process", [False, True])
def test_files_by_id(process: bool, tmp_path: Path) -> None:
    detector = constant(tmp_path / "best.onnx", {"output0": CAT}, ULTRALYTICS)
    classifier = ModelFile(mean_classifier(tmp_path / "last.onnx"), values="0-1")
    models = {"mine/1": str(detector), "mine/2": classifier}
    server = LocalServer(process=process, models=models)
    with server, InferenceHTTPClient(server.start().url) as client:
        found = client.infer(RED, model_id="mine/1")
        seen = client.infer(RED, model_id="mine/2")
    assert [prediction["class"] for prediction in found["predictions"]] == ["cat"]
    assert found["model_id"] == "mine/1"
    assert seen["top"] == "red"


@pytest.mark.parametrize("process", [False, True])
def test_a_file_that_cannot_be_used_is_told_at_the_start(process: bool, tmp_path: Path) -> None:
    (tmp_path / "best.onnx").write_bytes(b"nonsense")
    server = LocalServer(process=process, models={"mine/1": tmp_path / "best.onnx"})
    with pytest.raises(UnusableModelError, match=r"^best\.onnx cannot be read as an ONNX model"):
        server.start()


def test_a_folder_of_models_that_grows(tmp_path: Path) -> None:
    for place in ("helmets.onnx", "vests/best.onnx", "boots/7.onnx", "hats/2/a.onnx"):
        mean_classifier(tmp_path / place)
    store = ModelStore(folder=tmp_path)
    lines: list[str] = []
    store.open_files(lines.append)
    ids = sorted(line.split()[0] for line in lines)
    assert ids == ["boots/7", "hats/2", "helmets/1", "vests/1"]
    with LocalServer(models=store) as server, InferenceHTTPClient(server.url) as client:
        with pytest.raises(HTTPCallErrorError) as unknown:
            client.load_model("gloves/1")
        assert unknown.value.status_code == 404
        constant(tmp_path / "gloves" / "best.onnx", {"output0": CAT}, ULTRALYTICS)
        assert client.infer(RED, model_id="gloves/1")["predictions"][0]["class"] == "cat"
        (tmp_path / "socks.onnx").write_bytes(b"nonsense")
        with pytest.raises(HTTPCallErrorError, match=r"socks\.onnx cannot be read") as broken:
            client.load_model("socks/1")
        assert broken.value.status_code == 400


def test_ids_are_never_paths(tmp_path: Path) -> None:
    mean_classifier(tmp_path / "secret" / "best.onnx")
    (tmp_path / "open").mkdir()
    store = ModelStore(folder=tmp_path / "open")
    for model_id in ("../secret", "../secret/1", str(tmp_path / "secret" / "best.onnx")):
        assert not store.knows(model_id)


def test_two_files_of_one_id_are_refused(tmp_path: Path) -> None:
    mean_classifier(tmp_path / "helmets.onnx")
    mean_classifier(tmp_path / "helmets" / "best.onnx")
    with pytest.raises(UnusableModelError, match=r"would both be 'helmets/1'"):
        ModelStore(folder=tmp_path)


def test_the_least_used_gives_way(tmp_path: Path) -> None:
    path = mean_classifier(tmp_path / "m.onnx")
    store = ModelStore({f"mine/{n}": path for n in range(3)}, max_models=2)
    store.get("mine/0")
    store.get("mine/1")
    store.get("mine/0")
    store.get("mine/2")
    assert [d["model_id"] for d in store.registered()] == ["mine/0", "mine/2"]
    assert store.get("mine/1").description["model_id"] == "mine/1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "mine/1=none.onnx"], "There is no file"),
        (["--model", "mine/1"], "--model my-project/1=best.onnx"),
        (["--model", "mine/1={any_size}"], "--size"),
        (["--model", "mine/1={any_size}", "--size", "big"], "640x480"),
        (["--model", "mine/1={any_size}", "--task", "guess"], "task 'guess'"),
        (["--model", "mine/1={any_size}", "--provider", "Abacus"], "no provider 'Abacus'"),
        (["--models", "{folder}/none"], "There is no folder"),
    ],
)
def test_the_command_line_ends_with_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    any_size = mean_classifier(tmp_path / "m.onnx", side="side")
    filled = [text.format(any_size=any_size, folder=tmp_path) for text in arguments]
    assert main(["serve", "--port", "0", *filled]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


def test_options_of_the_command_line_reach_their_models(tmp_path: Path) -> None:
    from inference_sdk.cli.serve import ModelOptions, make_store

    path = mean_classifier(tmp_path / "m.onnx", side="side")
    options = ModelOptions(
        models=[f"a/1={path}", f"b/1={path}"],
        labels=["left,right", "b/1=up,down"],
        sizes=["48x32"],
        fits=["a/1=stretch"],
        values=["0-255"],
        provider="cpu",
    )
    first, second = (str(make_store(options).get(model_id)) for model_id in ("a/1", "b/1"))
    assert "(left, right); 48x32 stretch, RGB 0..255" in first
    assert "(up, down); 48x32 crop, RGB 0..255" in second


def test_stand_ins_say_who_they_are() -> None:
    with LocalServer() as server, InferenceHTTPClient(server.url) as client:
        answer = client.infer(RED, model_id="yolov8n-640")
        assert answer["model_id"] == "coco-centernet-mobilenetv3/1"
        assert client.infer(RED, model_id=answer["model_id"])["model_id"] == answer["model_id"]
        (description, _) = client.list_loaded_models().models
    assert description.model_id == "coco/3"


def test_a_strict_server_lets_none_stand_in() -> None:
    store = ModelStore(strict=True)
    with LocalServer(models=store) as server, InferenceHTTPClient(server.url) as client:
        with pytest.raises(HTTPCallErrorError, match="This server is strict") as refused:
            client.infer(RED, model_id="yolov8n-640")
        assert refused.value.status_code == 404
        assert "predictions" in client.infer(RED, model_id="coco-centernet-mobilenetv3/1")
    assert store.stand_ins() == []
