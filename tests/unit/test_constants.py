"""Names that modules define for themselves, which other programs import: each with its value.

`tests/data/constants.json` is the contract's own.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import inference_sdk

CONSTANTS = json.loads((Path(__file__).parents[1] / "data" / "constants.json").read_text())

WIDER = {"ImagesReference", "VideoReference"}
"""Types of arguments that take more here than in the contract (see `docs/differences.md`)."""

IN_WORDS = {"IMAGES_TRANSCODING_METHODS", "UploadProgressCallback", "__version__"} | WIDER
"""What the contract describes rather than shows; tested by themselves below."""


def names() -> Iterator[Any]:
    for module, constants in CONSTANTS.items():
        for name, described in constants.items():
            yield pytest.param(module, name, described["value"], id=f"{module}.{name}")


def shown(value: Any) -> Any:
    """A value as the contract's JSON shows it."""
    if isinstance(value, re.Pattern):
        return {"pattern": value.pattern}
    if isinstance(value, ContextVar):
        return {"context_variable": value.name, "default": value.get()}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(map(str, value))}
    if isinstance(value, dict):
        return {_key(key): shown(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(entry) for entry in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def _key(key: Any) -> str:
    return str(tuple(map(str, key))) if isinstance(key, tuple) else str(key)


@pytest.mark.parametrize(("module", "name", "value"), list(names()))
def test_the_name_has_the_value_of_the_contract(module: str, name: str, value: Any) -> None:
    own = getattr(importlib.import_module(module), name)
    if name in IN_WORDS:
        assert own is not None
    elif isinstance(value, str) and not isinstance(own, str):
        assert str(own).replace("typing.", "") == value.replace("typing.", "")
    else:
        assert shown(own) == _expanded(value)


def _expanded(value: Any) -> Any:
    return os.path.expanduser(value) if isinstance(value, str) and value[:1] == "~" else value


def test_the_version_is_one() -> None:
    from inference_sdk.version import __version__

    assert inference_sdk.__version__ == __version__


def test_pictures_become_what_they_are_called() -> None:
    from inference_sdk import VisualisationResponseFormat
    from inference_sdk.http.utils import encoding, post_processing

    assert {
        VisualisationResponseFormat.BASE64: encoding.encode_base_64,
        VisualisationResponseFormat.NUMPY: encoding.bytes_to_opencv_image,
        VisualisationResponseFormat.PILLOW: encoding.bytes_to_pillow_image,
    } == post_processing.IMAGES_TRANSCODING_METHODS


@pytest.mark.parametrize(
    "path",
    [
        "http.errors.HTTPClientError",
        "http.client.InferenceHTTPClient",
        "http.utils.profilling.save_workflows_profiler_trace",
        "config.RemoteProcessingTimeCollector",
        "regions.get_roboflow_region",
        "utils.decorators.deprecated",
        "webrtc.sources.StreamSource",
        "version.__version__",
    ],
)
def test_modules_are_attributes_of_their_packages(path: str) -> None:
    program = f"import inference_sdk; inference_sdk.{path}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


@pytest.mark.parametrize("package", ["inference_sdk", "inference_sdk.http.utils"])
def test_other_names_are_unknown_as_python_says_it(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing
    assert not hasattr(module, "__wrapped__")
