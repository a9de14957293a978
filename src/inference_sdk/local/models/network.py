"""ONNX files, opened once, run from any thread.

Knows nothing of tasks or pictures: tensors go in, tensors come out. A file that cannot be used is
told in one sentence, whatever ONNX Runtime said of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models.sharing import shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_THREADS = 4
"""Of one run. Such small networks gain nothing from more."""

CPU = "CPUExecutionProvider"

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
"""Of what a network takes; others are no pictures."""


@dataclass(frozen=True)
class Tensor:
    """What a network says of an input."""

    name: str
    shape: tuple[int | None, ...]
    """None where any length will do."""
    dtype: np.dtype[Any] | None
    """None when it is nothing that a picture could be turned into."""


class Network:
    """An ONNX Runtime session.

    Args:
        file: the content of an ONNX file, or its path; weights in files beside it are found.
        provider: short name of an execution provider ("CUDA"); None for the CPU.

    Raises:
        UnusableModelError: the file is missing, broken, or needs what is not installed.
    """

    def __init__(self, file: bytes | Path, provider: str | None = None) -> None:
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(os.cpu_count() or 1, MAX_THREADS)
        # Threads that spin between runs are 10 % faster, and take a core from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Memory laid out ahead for all layers: 40 MB of the detector, and no faster for it.
        options.enable_mem_pattern = False
        options.log_severity_level = 4
        self._name = file.name if isinstance(file, Path) else "the network"
        content = str(file) if isinstance(file, Path) else file
        if isinstance(file, Path) and not file.is_file():
            raise UnusableModelError(f"There is no file {file}.")
        with self._told("cannot be read as an ONNX model"):
            self._session = onnxruntime.InferenceSession(
                content, options, providers=provider_names(provider)
            )
            self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.inputs = tuple(
            Tensor(entry.name, _shape(entry.shape), _dtype(entry.type))
            for entry in self._session.get_inputs()
        )
        self.outputs = tuple(entry.name for entry in self._session.get_outputs())

    @classmethod
    def shared(cls, file_name: str) -> Network:
        """The network of a packaged file: one for all that use it, freed when nobody does."""
        return shared(
            file_name,
            lambda: cls((files("inference_sdk.local") / "assets" / file_name).read_bytes()),
        )

    @property
    def provider(self) -> str:
        """Short name of what really runs it, as in "CPU"."""
        return str(self._session.get_providers()[0]).removesuffix("ExecutionProvider")

    def run(
        self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None
    ) -> list[NDArray[Any]]:
        """The named outputs, all if none are named."""
        with self._told("cannot be run"):
            return list(self._session.run(outputs, dict(feeds)))

    def run_one(self, picture: NDArray[Any], output: str) -> NDArray[np.float32]:
        """One output of a network with one input, for one picture, without the batch axis."""
        (taken,) = self.inputs
        tensor = np.ascontiguousarray(picture[None], dtype=taken.dtype)
        (result,) = self.run({taken.name: tensor}, [output])
        return np.asarray(result[0], dtype=np.float32)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """ONNX Runtime's errors, which are many and share no base, as one sentence of ours."""
        try:
            yield
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise UnusableModelError(f"{self._name} {what}: {_first_sentence(error)}") from error


def provider_names(provider: str | None) -> list[str]:
    """Full names of a provider and of the CPU's, which takes what the other cannot.

    Raises:
        UnusableModelError: the installed ONNX Runtime has none of this name; says which it has.
    """
    available = runtime().get_available_providers()
    if provider is None or provider.lower() == "cpu":
        return [CPU]
    for name in available:
        if name.removesuffix("ExecutionProvider").lower() == provider.lower():
            return [name, CPU]
    there = ", ".join(name.removesuffix("ExecutionProvider") for name in available)
    raise UnusableModelError(
        f"The installed ONNX Runtime has no provider '{provider}'; it has {there}. "
        "Another build of it may: onnxruntime-gpu, onnxruntime-openvino."
    )


def runtime() -> Any:
    """The module, its telemetry switched off."""
    # From 1.32 on it writes usage data into the user's cache and calls its vendor, unless this is
    # set before it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def _shape(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(side if isinstance(side, int) and side > 0 else None for side in shape)


def _dtype(name: str) -> np.dtype[Any] | None:
    return np.dtype(DTYPES[name]) if name in DTYPES else None


def _first_sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    text = text.rsplit("[ONNXRuntimeError] : ", 1)[-1]
    return text if len(text) <= 200 else f"{text[:200]}…"
