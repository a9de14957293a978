"""ONNX files written by tests, whose answers are known by hand.

A network here puts out numbers that stand in the file, whatever it is shown; or, where a test is
about the picture, what it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PICTURE = ("images", TensorProto.FLOAT, [1, 3, 64, 64])

ULTRALYTICS = {
    "description": "Ultralytics YOLO11n model trained on data.yaml",
    "stride": "32",
    "imgsz": "[64, 64]",
    "names": "{0: 'cat', 1: 'dog'}",
    "task": "detect",
}


def constant(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] = {},
    inputs: tuple[tuple[str, int, list[Any]], ...] = (PICTURE,),
) -> Path:
    """A network that puts out these arrays."""
    nodes = [helper.make_node("Identity", [f"{name}_value"], [name]) for name in outputs]
    values = [numpy_helper.from_array(array, f"{name}_value") for name, array in outputs.items()]
    infos = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in outputs.items()
    ]
    return write(path, nodes, inputs, infos, values, metadata)


def write(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: tuple[tuple[str, int, list[Any]], ...],
    outputs: list[onnx.ValueInfoProto],
    values: Sequence[onnx.TensorProto] = (),
    metadata: Mapping[str, str] = {},
) -> Path:
    """A network of these nodes."""
    graph = helper.make_graph(
        nodes, "test", [helper.make_tensor_value_info(*i) for i in inputs], outputs, values
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def rows(*objects: list[float], of: int, width: int | None = None) -> np.ndarray:
    """An array (1, of, columns) that begins with these rows; the others are noughts."""
    array = np.zeros((1, of, width or len(objects[0])), np.float32)
    for place, numbers in enumerate(objects):
        array[0, place, : len(numbers)] = numbers
    return array


def columns(*objects: list[float], of: int = 84, width: int | None = None) -> np.ndarray:
    """The same, turned: (1, columns, of), as YOLOv8 gives them."""
    return np.ascontiguousarray(rows(*objects, of=of, width=width).transpose(0, 2, 1))


def mean_classifier(path: Path, side: int | str = 32, batch: int | str = "N") -> Path:
    """Two logits: the mean of the input's first channel, and nought. Takes any batch."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Slice", ["means", "start", "end", "axis"], ["red"]),
        helper.make_node("Mul", ["red", "nought"], ["other"]),
        helper.make_node("Concat", ["red", "other"], ["logits"], axis=1),
    ]
    values = [
        numpy_helper.from_array(np.array([number], dtype), name)
        for name, number, dtype in (
            ("start", 0, np.int64),
            ("end", 1, np.int64),
            ("axis", 1, np.int64),
            ("nought", 0, np.float32),
        )
    ]
    inputs = (("images", TensorProto.FLOAT, [batch, 3, side, side]),)
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 2])]
    return write(path, nodes, inputs, outputs, values, {"names": "{0: 'red', 1: 'other'}"})
