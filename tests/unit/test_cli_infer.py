"""`inference-sdk infer` against a server that answers as told: tables, JSON lines, exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image
from rich.console import Console

from inference_sdk.cli import main
from inference_sdk.cli.reports import progress_console
from tests.recording_server import Recorded, RecordingServer

KEY = "secret-key-0123456789"
CUP = {
    "x": 50, "y": 40, "width": 40, "height": 20, "confidence": 0.87, "class": "cup", "class_id": 41,
}  # fmt: skip
FOUND = {"image": {"width": 100, "height": 80}, "predictions": [CUP]}
NOTHING: dict[str, Any] = {"image": {"width": 100, "height": 80}, "predictions": []}
DETECTION = "/infer/object_detection"

Infer = Callable[..., tuple[int, str, str]]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save_picture(tmp_path / "a.png")


def save_picture(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (100, 80), (128, 128, 128)).save(path)
    return path


@pytest.fixture
def model_server(server: RecordingServer) -> RecordingServer:
    model = {"model_id": "coco/3", "task_type": "object-detection"}
    server.answer("/model/registry", {"models": [model]})
    server.answer(DETECTION, FOUND)
    return server


@pytest.fixture
def infer(
    model_server: RecordingServer,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Infer:
    """Runs the command; gives its exit code, standard output and standard error."""
    monkeypatch.setenv("INFERENCE_API_URL", model_server.url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["infer", *map(str, arguments)])
        written = capsysbinary.readouterr()
        return code, written.out.decode(), written.err.decode()

    return run


def refuse(status: int, message: str) -> Callable[[Recorded], web.Response]:
    return lambda _: web.json_response({"message": message}, status=status)


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_people_get_a_table(
    infer: Infer, model_server: RecordingServer, picture: Path, tmp_path: Path
) -> None:
    model_server.answer(
        DETECTION, {**FOUND, "predictions": [CUP, {**CUP, "class": "mug"}]}, NOTHING
    )
    empty = save_picture(tmp_path / "[red]b.png")
    code, output, errors = infer(picture, empty, "--concurrency", 1)
    assert code == 0
    rows = [line.split() for line in output.splitlines() if line.strip()]
    assert rows[0] == ["image", "class", "confidence", "box:", "left,", "top,", "right,", "bottom"]
    assert rows[2] == [str(picture), "cup", "0.87", "30,", "30,", "70,", "50"]
    assert rows[3] == ["mug", "0.87", "30,", "30,", "70,", "50"]
    assert rows[4] == [str(empty), "nothing", "found"]
    assert errors.startswith("2 images in ")


def test_programs_get_json_lines(infer: Infer, picture: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.jpg"
    code, output, errors = infer(picture, missing, "--json")
    assert code == 1
    assert lines(output) == [
        {"image": str(picture), "result": FOUND},
        {
            "image": str(missing),
            "error": f"'{missing}' cannot be read: No such file or directory.",
        },
    ]
    assert ", 1 failed." in errors


def test_a_bad_picture_costs_only_itself(infer: Infer, picture: Path, tmp_path: Path) -> None:
    code, output, errors = infer(picture, tmp_path / "missing.jpg", picture)
    assert code == 1
    assert output.count("cup") == 2
    assert "failed" in output
    assert "cannot be read: No such file or directory." in errors
    assert "inputs[" not in errors


def test_a_picture_the_server_refuses_costs_only_itself(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    model_server.answer(DETECTION, refuse(400, "Could not load input image."), FOUND)
    code, output, _ = infer(picture, picture, "--json", "--concurrency", 1)
    assert code == 1
    refused, found = lines(output)
    assert refused["error"] == "The server refused with status 400: Could not load input image."
    assert found["result"] == FOUND


def test_options_reach_the_server(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    model = {"model_id": "mugs/7", "task_type": "object-detection"}
    model_server.answer("/model/registry", {"models": [model]})
    infer(picture, "--model-id", "mugs/7", "--confidence", "0.25", "--api-key", KEY)
    body = model_server.last.json
    assert (body["model_id"], body["confidence"], body["api_key"]) == ("mugs/7", 0.25, KEY)


def test_confidence_may_be_a_word(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    infer(picture, "--confidence", "best")
    assert model_server.last.json["confidence"] == "best"


def test_nothing_is_set_that_was_not_asked_for(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    infer(picture)
    assert "confidence" not in model_server.last.json


def test_the_key_of_the_environment_is_used(
    infer: Infer, model_server: RecordingServer, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOFLOW_API_KEY", KEY)
    infer(picture)
    assert model_server.last.json["api_key"] == KEY


def test_an_address_given_wins_over_the_environment(
    infer: Infer, model_server: RecordingServer, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERENCE_API_URL", "http://127.0.0.1:9")
    assert infer(picture, "--api-url", model_server.url)[0] == 0


def test_several_pictures_are_under_way_at_once(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    async def slow(_: Recorded, __: web.Request) -> web.Response:
        import asyncio

        await asyncio.sleep(0.05)
        return web.json_response(FOUND)

    model_server.answer(DETECTION, slow)
    infer(*[picture] * 6, "--concurrency", 3)
    assert model_server.most_in_flight == 3
    assert infer(*[picture] * 12, "--concurrency", "auto")[0] == 0
    assert model_server.most_in_flight > 3


# --- Annotated pictures ---------------------------------------------------------------------


def differs(first: Path, second: Path) -> np.ndarray:
    pixels = [np.asarray(Image.open(path)).astype(int) for path in (first, second)]
    return (abs(pixels[0] - pixels[1]) > 40).any(axis=2)


def test_the_annotated_picture_differs_where_the_box_is(
    infer: Infer, model_server: RecordingServer, picture: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.png"
    code, output, _ = infer(picture, "--save", target)
    assert code == 0
    assert f"Annotated picture: {target}\n" in output
    where = differs(picture, target)
    assert where[30:51, 30:71].any()
    assert not where[60:].any()
    assert not where[:, 90:].any()


def test_the_picture_is_sent_as_it_is_also_when_it_is_drawn_on(
    infer: Infer, model_server: RecordingServer, picture: Path, tmp_path: Path
) -> None:
    infer(picture)
    infer(picture, "--save", tmp_path / "out.png")
    first, second = (r.json["image"] for r in model_server.requests if r.path == DETECTION)
    assert first == second


def test_pictures_of_several_images_go_to_a_folder(
    infer: Infer, picture: Path, tmp_path: Path
) -> None:
    other = save_picture(tmp_path / "more" / "a.png")
    folder = tmp_path / "out"
    code, output, _ = infer(picture, tmp_path / "no.jpg", other, "--save", folder, "--json")
    assert code == 1
    places = [line.get("picture") for line in lines(output)]
    assert places == [str(folder / "a.png"), None, str(folder / "a-2.png")]
    assert sorted(path.name for path in folder.iterdir()) == ["a-2.png", "a.png"]
    assert "no.jpg' cannot be read" in lines(output)[1]["error"]


def test_a_picture_by_url_is_fetched_once_and_drawn_on(
    infer: Infer, model_server: RecordingServer, picture: Path, tmp_path: Path
) -> None:
    content = picture.read_bytes()
    model_server.answer(
        "/pictures/tom.png", lambda _: web.Response(body=content, content_type="image/png")
    )
    code, _, errors = infer(f"{model_server.url}/pictures/tom.png", "--save", tmp_path / "out")
    assert code == 0, errors
    assert differs(picture, tmp_path / "out" / "tom.png").any()
    assert [r.path for r in model_server.requests].count("/pictures/tom.png") == 1


def test_a_picture_that_does_not_decode_here_fails(infer: Infer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    code, output, _ = infer(broken, "--save", tmp_path / "out.png", "--json")
    assert code == 1
    assert lines(output)[0]["error"].startswith("The annotated picture was not written: ")
    assert not (tmp_path / "out.png").exists()


def test_an_answer_that_cannot_be_drawn_fails(
    infer: Infer, model_server: RecordingServer, picture: Path, tmp_path: Path
) -> None:
    model_server.answer(DETECTION, {"predictions": [{"width": 1, "height": 1, "x": 1, "y": 1}]})
    code, output, _ = infer(picture, "--save", tmp_path / "out.png", "--json")
    assert code == 1
    assert lines(output)[0]["error"].startswith("The annotated picture was not written: ")


def test_an_original_is_not_overwritten(infer: Infer, picture: Path) -> None:
    before = picture.read_bytes()
    code, _, errors = infer(picture, "--save", picture)
    assert code == 2
    assert "would overwrite the image" in errors
    assert picture.read_bytes() == before


# --- The server is at fault -----------------------------------------------------------------


def test_a_server_out_of_reach_fails_the_run(infer: Infer, picture: Path) -> None:
    code, output, errors = infer(picture, "--api-url", "http://127.0.0.1:9")
    assert (code, output) == (3, "")
    assert "Could not connect to http://127.0.0.1:9" in errors
    assert errors.count("\n") == 1


def test_a_refused_key_fails_the_run_and_is_not_shown(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    model_server.answer("/model/registry", refuse(401, "Unauthorized"))
    code, output, errors = infer(picture, "--api-key", KEY)
    assert code == 3
    assert "status 401: Unauthorized. Check the key" in errors
    assert KEY not in output + errors
    assert errors.count("\n") == 1


def test_a_server_that_is_lost_ends_the_run(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    model_server.answer(DETECTION, FOUND, refuse(403, "Quota exceeded"))
    code, output, errors = infer(*[picture] * 10, "--concurrency", 1, "--json")
    assert code == 3
    assert len(lines(output)) == 4
    assert "4 images in" in errors
    assert "3 failed; 6 not tried, for the server is lost" in errors


def test_all_failed_by_the_server_is_a_failed_run(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    model_server.answer(DETECTION, refuse(403, "Quota exceeded"))
    assert infer(picture)[0] == 3


def test_html_where_an_answer_should_be(
    infer: Infer, model_server: RecordingServer, picture: Path
) -> None:
    page = web.Response
    model_server.answer("/model/registry", lambda _: page(text="<html>", content_type="text/html"))
    code, _, errors = infer(picture)
    assert code == 3
    assert "Is this the address of an inference server?" in errors


# --- The command line is at fault -----------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'IMAGE"),
        (["a.jpg", "--confidence", "7"], "neither a number of 0 to 1"),
        (["a.jpg", "--confidence", "sure"], "neither a number of 0 to 1"),
        (["a.jpg", "--concurrency", "0"], "Invalid value for '--concurrency'"),
        (["a.jpg", "--bogus"], "No such option"),
        (["a.jpg", "--api-url", "localhost:9001"], "is no http(s) address"),
        (["a.jpg", "--api-url", "https://detect.roboflow.com"], "key"),
    ],
)
def test_wrong_usage_is_one_line_with_a_hint(
    infer: Infer, arguments: list[str], message: str
) -> None:
    code, output, errors = infer(*arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("inference-sdk: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_debugging_user_sees_the_traceback(
    infer: Infer, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERENCE_DEBUG", "1")
    _, __, errors = infer(picture, "--api-url", "http://127.0.0.1:9")
    assert "Traceback (most recent call last)" in errors
    _, __, errors = infer(picture, "--save", picture)
    assert "Traceback (most recent call last)" in errors


def test_a_folder_that_may_not_be_read_is_one_line(
    infer: Infer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_to_list(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    # Tests may run as root, who may read everything.
    monkeypatch.setattr(Path, "iterdir", refuse_to_list)
    code, output, errors = infer(tmp_path)
    assert (code, output) == (3, "")
    assert errors == f"inference-sdk: {tmp_path}: Permission denied\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([""], "an argument"),
        (["a.jpg", ""], "an argument"),
        (["a.jpg", "-m", ""], "the value of -m"),
        (["a.jpg", "--save", ""], "the value of --save"),
    ],
)
def test_a_variable_that_is_not_set_is_wrong_usage(
    infer: Infer, model_server: RecordingServer, arguments: list[str], what: str
) -> None:
    code, output, errors = infer(*arguments)
    assert (code, output) == (2, "")
    assert errors.startswith(f"inference-sdk: {what} is empty. Is a variable")
    assert model_server.requests == []


def test_an_empty_key_is_no_key(infer: Infer, picture: Path) -> None:
    assert infer(picture, "--api-key", "")[0] == 0


@pytest.mark.parametrize("save", [[], ["--save", "out"]])
def test_each_failure_names_its_file(
    infer: Infer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: list[str]
) -> None:
    """Also of a picture that is kept for drawing, and of what has no end."""
    monkeypatch.chdir(tmp_path)
    Path("empty.png").touch()
    os.mkfifo("pipe.jpg")
    code, output, _ = infer("empty.png", "pipe.jpg", "/dev/zero", "--json", *save)
    assert code == 1
    assert [line["error"][: len(line["image"]) + 2] for line in lines(output)] == [
        "'empty.png'",
        "'pipe.jpg'",
        "'/dev/zero'",
    ]


def test_warnings_of_decoders_stay_away(infer: Infer, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    save_picture(path)
    content = path.read_bytes()
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\x00\x12\x01\x03\0"
    segment = b"\xff\xe1" + (len(broken) + 2).to_bytes(2, "big") + broken
    path.write_bytes(content[:2] + segment + content[2:])
    with pytest.warns(UserWarning, match="EXIF"), Image.open(path) as image:
        image.getexif()
    code, _, errors = infer(path, "--save", tmp_path / "out.jpg")
    assert code == 0
    assert "arning" not in errors


def test_progress_and_lines_of_json_do_not_share_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = Console(force_terminal=True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert progress_console(console, json=False) is console
    assert not progress_console(console, json=True).is_terminal


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_a_missing_command_line_extra_is_one_line(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["--version"]) == 2
    errors = capsys.readouterr().err
    assert f"needs {package}" in errors
    assert "pip install 'inference-sdk[cli]'\n" in errors


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package look as if it were not installed."""
    from importlib.util import find_spec

    def hide(package: str) -> None:
        monkeypatch.setattr(
            "inference_sdk.cli.failures.find_spec",
            lambda name: None if name == package else find_spec(name),
        )

    return hide


def test_a_missing_drawing_extra_is_told_before_anything_is_sent(
    infer: Infer, model_server: RecordingServer, picture: Path, without: Callable[[str], None]
) -> None:
    without("supervision")
    code, _, errors = infer(picture, "--save", "out.png")
    assert code == 2
    assert "--save needs supervision" in errors
    assert "pip install 'inference-sdk[viz]'" in errors
    assert not model_server.requests


@pytest.mark.parametrize("command", [["infer", "a.jpg"], ["serve"]])
def test_a_missing_server_extra_is_told(
    command: list[str],
    without: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    without("onnxruntime")
    assert main(command) == 2
    assert "pip install 'inference-sdk[local]'" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    from inference_sdk import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"inference-sdk {__version__}\n"
    for arguments, text in [([], "infer"), (["-h"], "serve"), (["infer", "--help"], "Exit codes")]:
        assert main(arguments) == 0
        assert text in capsys.readouterr().out
