"""A packaged ONNX file, loaded once, run from any thread.

Knows nothing of tasks: an image goes in at the size the network wants, tensors come out.
"""

from __future__ import annotations

import os
import threading
import weakref
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_loaded: weakref.WeakValueDictionary[str, Network] = weakref.WeakValueDictionary()
_loading = threading.Lock()

MAX_THREADS = 4
"""Of one run. Such small networks gain nothing from more."""


class Network:
    """An ONNX Runtime session with one input of shape (1, side, side, 3)."""

    def __init__(self, file_name: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(os.cpu_count() or 1, MAX_THREADS)
        # Threads that spin between runs are 10 % faster, and take a core from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        content = (files("inference_sdk.local") / "assets" / file_name).read_bytes()
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0]

    @classmethod
    def shared(cls, file_name: str) -> Network:
        """The network of a file: one for all that use it, freed when nobody does."""
        with _loading:
            network = _loaded.get(file_name)
            if network is None:
                _loaded[file_name] = network = cls(file_name)
            return network

    def run(self, tensor: NDArray[Any], output: str) -> NDArray[np.float32]:
        """The named output for `tensor` of shape (side, side, 3), without the batch axis."""
        dtype = np.int32 if "int32" in self._input.type else np.float32
        (result,) = self._session.run(
            [output], {self._input.name: np.ascontiguousarray(tensor[None], dtype=dtype)}
        )
        return np.asarray(result[0], dtype=np.float32)


def stretch(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The BGR image as RGB of shape (side, side, 3), its aspect ratio given up."""
    # Pillow does not care for the order of channels, so the few pixels left are swapped.
    picture = Image.fromarray(np.ascontiguousarray(image))
    resized = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(resized)[..., ::-1]
