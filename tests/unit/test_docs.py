"""The documentation: links lead somewhere, Python compiles, and what the README promises runs."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from av import VideoFrame

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.local import LocalServer
from inference_sdk.recording import Recorder
from tests.integration.bare_peer import numbered, write_video

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for folder in (".", "docs", "benchmarks", "examples", "src/inference_sdk/local/assets")
    for page in (ROOT / folder).glob("*.md")
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

WORKFLOW = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [
        {
            "type": "roboflow_core/roboflow_object_detection_model@v2",
            "name": "detector",
            "images": "$inputs.image",
            "model_id": "coco/3",
        }
    ],
    "outputs": [{"type": "JsonField", "name": "found", "selector": "$steps.detector.predictions"}],
}

STREAMED = {
    **WORKFLOW,
    "outputs": [
        {"type": "JsonField", "name": "annotated", "selector": "$inputs.image"},
        {"type": "JsonField", "name": "predictions", "selector": "$steps.detector.predictions"},
    ],
}
"""With a picture among its outputs, so that there is something to see."""


def blocks(page: Path, *languages: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


def anchors(page: Path) -> set[str]:
    """Names of the headings, as GitHub makes them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_shown_as_python_or_json_is(page: Path):
    for text in blocks(page, "python"):
        compiled(text)
    for text in blocks(page, "json"):
        for line in text.splitlines():
            json.loads(line)


def compiled(text: str) -> Any:
    return compile(text, "<documentation>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the documentation's file names are."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("street.jpg", "a.jpg"):
        shutil.copy(ROOT / "examples" / "astronaut.jpg", tmp_path / name)
    write_video(tmp_path / "street.mp4", 4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names() -> dict[str, Any]:
    """What the documentation leaves for the reader to fill in."""
    return {
        "HTTPClientError": HTTPClientError,
        "frames": lambda: iter(["street.jpg", "missing.jpg"]),
        "paths": ["street.jpg", "missing.jpg"],
        "workflow": WORKFLOW,
    }


def run_page(page: Path, server: LocalServer, **given: Any) -> dict[str, Any]:
    """Run a page from top to bottom, as a reader would; returns the names it made.

    Args:
        given: names for the blocks about streams.
    """
    namespace = names()
    for text in blocks(page, "python"):
        if "webrtc" in text:
            namespace.update(given)
        here = text.replace("http://localhost:9001", server.url)
        outcome = eval(compiled(here), namespace)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    return namespace


@pytest.mark.filterwarnings("ignore:.*Streaming over WebRTC")
def test_the_readme_runs_from_top_to_bottom(running: LocalServer, folder: Path):
    made = run_page(ROOT / "README.md", running, workflow=STREAMED)
    assert made["frame"].shape == (96, 160, 3)
    assert made["metadata"].frame_id == 4
    assert made["outputs"][0]["found"]["predictions"]
    assert isinstance(made["result"], HTTPClientError)  # of the last path, which leads nowhere


def test_the_http_guide_runs_from_top_to_bottom(
    running: LocalServer, folder: Path, capsys: pytest.CaptureFixture[str]
):
    # In a context of its own, since the page sets a context variable.
    made = copy_context().run(run_page, ROOT / "docs" / "http.md", running)
    assert "missing.jpg" in capsys.readouterr().out
    assert made["patient"].inference_configuration.read_timeout == 600
    assert made["total_seconds"] > 0


class Camera:
    """Some pictures, as fast as they are taken, and then it ends."""

    fps = 30.0

    def __init__(self) -> None:
        self.left = 30

    def read(self) -> VideoFrame | None:
        self.left -= 1
        time.sleep(0.03)
        return VideoFrame.from_ndarray(numbered(self.left), format="bgr24") if self.left else None

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.filterwarnings("ignore:.*Streaming over WebRTC")
def test_the_guide_to_streams_runs_from_top_to_bottom(
    running: LocalServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr("inference_sdk.webrtc.sources.capture.open_webcam", lambda *_: Camera())
    run_page(ROOT / "docs" / "webrtc.md", running, workflow=STREAMED)
    said = capsys.readouterr().out
    assert said.count("(96, 160, 3)") >= 4 + 4 + 1  # two files of four frames, and the camera
    assert [line for line in said.splitlines() if line.startswith(("1 ", "4 "))]
    assert "frames [1, 2, 3, 4]" in said
    assert "answered 0" in said
    assert "tested 4" in said


def test_the_guide_to_errors_runs(running: LocalServer, folder: Path, capsys):
    found = run_page(ROOT / "docs" / "errors.md", running)["found"]
    assert found(InferenceHTTPClient(running.url), "street.jpg") > 0
    assert found(InferenceHTTPClient(running.url), "missing.jpg") is None
    assert "missing.jpg: " in capsys.readouterr().out


def test_the_guide_to_telemetry_runs(running: LocalServer, folder: Path):
    assert run_page(ROOT / "docs" / "telemetry.md", running)["telemetry"]


def test_the_guide_to_testing_runs(running: LocalServer, folder: Path):
    with_server, recorded, without_pytest = blocks(ROOT / "docs" / "testing.md", "python")
    given: dict[str, Any] = {"os": os, "InferenceHTTPClient": InferenceHTTPClient}
    given["count_cups"] = lambda client, path: len(
        client.infer(path, model_id="coco/3", class_filter=["cup"])["predictions"]
    )
    given["my_program"] = lambda api_url: (
        f"{given['count_cups'](InferenceHTTPClient(api_url), 'examples/coffee.jpg')} cup"
    )
    here = recorded.replace("https://serverless.roboflow.com", running.url)
    exec(compiled(with_server + here), given)
    given["test_my_program"](running)
    with Recorder(folder / "cups.json", records=True):
        given["test_cups_are_counted"](None)
    with Recorder(folder / "cups.json"):
        given["test_cups_are_counted"](None)
    given["client"] = InferenceHTTPClient(running.url)
    for have_recording in (False, True):
        exec(compiled(without_pytest), {**given, "have_recording": have_recording})


def test_the_guide_to_big_batches_runs(running: LocalServer, folder: Path):
    made = run_page(ROOT / "docs" / "batches.md", running)
    assert made["summary"].answered == len(list((ROOT / "examples").glob("*.jpg")))


def test_the_guide_to_the_embedded_server_runs(folder: Path):
    first = blocks(ROOT / "docs" / "local-server.md", "python")[0]
    namespace: dict[str, Any] = {}
    exec(compiled(first), namespace)
    assert namespace["result"]["predictions"][0]["class"] == "cup"
