"""On any console, with any name: nothing fails, and nothing in a name is obeyed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.cli.terminal import legible
from tests.recording_server import RecordingServer

PICTURE = Path(__file__).parents[2] / "examples" / "coffee.jpg"
FOUND = {
    "x": 10, "y": 10, "width": 4, "height": 4, "confidence": 0.5, "class_id": 0,
    "class": "猫\x1b[31m:cat:",
}  # fmt: skip
NAMES = [
    "日本.jpg", "café.jpg", "a:smile:.jpg", "[red]a.jpg", "a\x1b[2J\x1b]0;title\x07.jpg",
    "two\nlines.jpg", "\u202egpj.exe.jpg", "\x9b31m.jpg", "missing\x1bM.jpg",
]  # fmt: skip


@pytest.fixture
def detector(server: RecordingServer) -> RecordingServer:
    model = {"model_id": "coco/3", "task_type": "object-detection"}
    server.answer("/model/registry", {"models": [model]})
    server.answer(
        "/infer/object_detection", {"image": {"width": 640, "height": 480}, "predictions": [FOUND]}
    )
    return server


def run(*arguments: object, url: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inference_sdk", *map(str, arguments)],
        env={**os.environ, "COLUMNS": "400", "INFERENCE_API_URL": url, **environment},
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        errors="surrogateescape",  # lines of JSON are UTF-8 on any console
        timeout=40,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="its file systems refuse such names")
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_names_on_consoles(encoding: str, detector: RecordingServer, tmp_path: Path) -> None:
    for name in NAMES[:-1]:
        shutil.copy(PICTURE, tmp_path / name)
    paths = [tmp_path / name for name in NAMES]
    ended = run(
        "infer", *paths, "--save", tmp_path / "out", url=detector.url, PYTHONIOENCODING=encoding
    )
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    for text in (ended.stdout, ended.stderr):
        controls = [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
        assert controls == []
    folded = "".join(ended.stdout.split())
    for shown in ("a:smile:.jpg", "[red]a.jpg", r"a\x1b[2J\x1b]0;title\x07.jpg", ":cat:"):
        assert shown in folded
    assert (r"\u65e5\u672c.jpg" in folded) == (encoding != "utf-8")
    assert ("café.jpg" in folded) == (encoding != "ascii")
    assert r"missing\x1bM.jpg: " in ended.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    "arguments", [["--help"], ["infer", "--help"], ["no-\x1b[1m-such-command"]]
)
def test_help_and_usage_on_consoles(encoding: str, arguments: list[str]) -> None:
    ended = run(*arguments, PYTHONIOENCODING=encoding)
    assert ended.returncode == (0 if "--help" in arguments else 2)
    assert "Traceback" not in ended.stderr
    assert "\x1b" not in ended.stderr + ended.stdout


def test_programs_get_the_names_as_they_are(detector: RecordingServer, tmp_path: Path) -> None:
    name = "日本.jpg" if sys.platform == "win32" else "日本\x1b[2J\n.jpg"
    shutil.copy(PICTURE, tmp_path / name)
    ended = run("infer", tmp_path, "--json", url=detector.url, PYTHONIOENCODING="ascii")
    [line] = ended.stdout.encode("ascii", "surrogateescape").splitlines()
    assert Path(json.loads(line)["image"]).name == name


def test_wildcards(detector: RecordingServer, tmp_path: Path) -> None:
    """As a shell of Windows gives them; and of a name that exists, none is one."""
    folder = tmp_path / "sub"
    folder.mkdir()
    for place in (tmp_path / "b.jpg", tmp_path / "a.jpg", tmp_path / "[a].jpg", folder / "c.jpg"):
        shutil.copy(PICTURE, place)
    for pattern, names in [
        ("?.jpg", ["a.jpg", "b.jpg"]),
        ("**/*.jpg", ["[a].jpg", "a.jpg", "b.jpg", "c.jpg"]),
        ("[a].jpg", ["[a].jpg"]),
    ]:
        ended = run("infer", tmp_path / pattern, "--json", url=detector.url)
        shown = [Path(json.loads(line)["image"]).name for line in ended.stdout.splitlines()]
        assert (ended.returncode, sorted(shown)) == (0, names), ended.stderr
    ended = run("infer", tmp_path / "*.png", url=detector.url)
    assert ended.returncode == 2
    assert "No file fits" in ended.stderr


@given(text=st.text(), encoding=st.sampled_from(["utf-8", "cp1252", "ascii", "latin-1", "gbk"]))
def test_any_text_is_legible(text: str, encoding: str) -> None:
    shown = legible(text, encoding)
    shown.encode(encoding)
    assert all(c.isprintable() or unicodedata.category(c) != "Cc" for c in shown)
    assert "\n" not in shown
    assert legible(shown, encoding) == shown
