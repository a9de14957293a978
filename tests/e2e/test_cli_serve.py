"""`inference-sdk serve` as users run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from inference_sdk import InferenceHTTPClient
from inference_sdk.cli import main


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of the command, and the address it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inference_sdk.cli", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    with process:
        try:
            yield process, process.stdout.readline().removeprefix("Serving at ").strip()
        finally:
            process.kill()


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What is left of both outputs, once it has ended.

    Not by `communicate`, which does not see what `readline` has read ahead.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    process.wait(15)
    return process.stdout.read(), process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with serving("--preload") as (process, address):
        with InferenceHTTPClient(address) as client:
            assert client.get_server_info().name
            loaded: list[str] = []
            for _ in range(200):
                loaded = [model.model_id for model in client.list_loaded_models().models]
                if len(loaded) == 4:
                    break
                time.sleep(0.05)
        assert loaded == [
            "coco/3", "coco-pose-detection/1", "coco-dataset-vdnr1/2", "classifiers/1"
        ]  # fmt: skip
        process.send_signal(number)
        output, errors = _rest(process)
    assert (process.returncode, errors) == (0, "")
    assert all(model_id in output for model_id in loaded)
    assert "Stop with Ctrl+C." in output


def test_a_key_keeps_others_out() -> None:
    with serving("--api-key", "secret-key-0123456789") as (process, address):
        registry = f"{address}/model/registry"
        assert requests.get(registry, timeout=10).status_code == 401
        key = {"api_key": "secret-key-0123456789"}
        assert requests.get(registry, params=key, timeout=10).status_code == 200
        process.terminate()
        output, errors = _rest(process)
    assert "secret-key" not in output + errors


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 3
    errors = capsys.readouterr().err
    assert f"Cannot listen on 127.0.0.1:{port}" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--api-key", ""), "API key is empty"),
        (("--limit", "pixel=3"), "pixels"),
        (("--limit", "pixels=0"), "above 0"),
        (("--allow-origin", "app.example"), "no origin"),
    ],
)
def test_what_would_leave_it_open_or_is_none_is_told(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_others_without_a_key_are_warned_of() -> None:
    with serving("--host", "0.0.0.0") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert "without a key" in _rest(process)[1]
