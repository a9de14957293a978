"""What loads what: the plugin is in every pytest run, `inference_sdk.local` in every import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference_sdk import local


def _loaded_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stdout.split())


HEAVY = {"numpy", "PIL", "requests", "aiohttp", "onnxruntime", "asyncio", "av", "cv2"}


@pytest.mark.parametrize(
    "statement", ["import inference_sdk.local", "import inference_sdk.local.models"]
)
def test_importing_the_package_loads_nothing_heavy(statement: str) -> None:
    assert not _loaded_after(statement) & HEAVY


def test_the_plugin_loads_nothing_beyond_pytest_and_small_modules() -> None:
    new = _loaded_after("import pytest, inference_sdk.local.pytest_plugin") - _loaded_after(
        "import pytest"
    )
    assert {name.split(".")[0] for name in new} == {"inference_sdk"}


def test_the_server_loads_what_models_and_streams_need_when_they_are_asked_for() -> None:
    loaded = _loaded_after("from inference_sdk.local import LocalServer\nLocalServer().start()")
    assert "aiohttp" in loaded
    assert not loaded & {"onnxruntime", "PIL", "cv2", "av", "aiortc"}


def test_a_process_that_only_serves_loads_what_streams_need_ahead() -> None:
    loaded = _loaded_after(
        "import threading\n"
        "from inference_sdk.local.streaming import signalling\n"
        "signalling.load_ahead()\n"
        "for thread in threading.enumerate():\n"
        "    if thread is not threading.main_thread(): thread.join(30)"
    )
    assert {"aiortc", "av"} <= loaded


def test_every_public_name_is_there() -> None:
    for name in local.__all__:
        assert getattr(local, name) is not None
    assert set(local.__all__) <= set(dir(local))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = local.nonsense


def test_onnx_runtime_keeps_to_itself(tmp_path: Path) -> None:
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}
    program = (
        "import socket, numpy\n"
        "def no(*_, **__): raise AssertionError('a look-up')\n"
        "socket.getaddrinfo = no\n"
        "from inference_sdk.local import InferenceParameters, ModelStore\n"
        "model = ModelStore().get('coco/3')\n"
        "model.infer(numpy.zeros((9, 9, 3), numpy.uint8), InferenceParameters())"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, env={**os.environ, **home}
    )
    assert list(tmp_path.iterdir()) == []
