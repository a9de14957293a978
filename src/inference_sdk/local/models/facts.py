"""What can be known of a model file before anyone says anything: its metadata, shapes, neighbours.

What a user says wins over what an exporter wrote, and that over what shapes suggest.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.faults import UnusableModelError
from inference_sdk.local.models.classes import COCO_CLASSES, COCO_IDS, COCO_KEYPOINTS
from inference_sdk.local.models.model_file import TASKS, ModelFile
from inference_sdk.local.models.network import Network, Tensor
from inference_sdk.local.models.preparation import VALUES, Preparation, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABEL_FILES = ("labels.txt", "classes.txt", "class_names.txt", "obj.names")
"""Read when one of them lies beside the model."""


@dataclass(frozen=True)
class Facts:
    """What is known of one opened file."""

    said: ModelFile
    network: Network
    shapes: tuple[tuple[int, ...], ...] = ()
    """Of the outputs for one picture, the batch axis among them."""
    example: tuple[NDArray[Any], ...] = field(default=(), repr=False)
    """The outputs for a picture of noise."""

    @property
    def name(self) -> str:
        return Path(self.said.path).name

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.network.metadata

    @property
    def from_ultralytics(self) -> bool:
        return "task" in self.metadata and "names" in self.metadata

    def metadata_value(self, key: str) -> Any:
        """A value of the metadata that is written as a Python or JSON literal; None without it."""
        text = self.metadata.get(key)
        if text is None:
            return None
        for read in (ast.literal_eval, json.loads):
            try:
                return read(text)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
        return None

    @property
    def task(self) -> str | None:
        """As in the values of `TASKS`; None when nobody says it."""
        said = self.said.task or self.metadata.get("task")
        return TASKS.get(said) if said else None

    @property
    def picture(self) -> Tensor:
        """The input that takes the picture: the only one with four axes.

        Raises:
            UnusableModelError: there is none, or it is no picture.
        """
        inputs = [taken for taken in self.network.inputs if len(taken.shape) == 4]
        if len(inputs) != 1 or inputs[0].dtype is None:
            shown = ", ".join(f"{taken.name}{list(taken.shape)}" for taken in self.network.inputs)
            raise UnusableModelError(
                f"{self.name} takes {shown or 'nothing'}; a model of pictures has one input of "
                "four axes: batch, channels, height, width."
            )
        return inputs[0]

    @property
    def channels_last(self) -> bool:
        shape = self.picture.shape
        return shape[3] in (1, 3) and shape[1] not in (1, 3)

    @property
    def channels(self) -> int:
        channels = self.picture.shape[3 if self.channels_last else 1]
        if channels not in (1, 3, None):
            raise UnusableModelError(
                f"{self.name} takes pictures of {channels} channels; 3 (RGB) and 1 (grey) "
                "can be served."
            )
        return channels or 3

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input.

        Raises:
            UnusableModelError: the network takes any, and nobody says which it was made for.
        """
        shape = self.picture.shape
        height, width = shape[1:3] if self.channels_last else shape[2:4]
        said = self.said.size or _pair(self.metadata_value("imgsz")) or self._size_beside()
        height, width = height or (said and said[0]), width or (said and said[1])
        if not height or not width:
            raise UnusableModelError(
                f"{self.name} takes pictures of any size: say which it was trained on with "
                "--size, such as --size 640."
            )
        return height, width

    def preparation(self, fit: str, values: Values, shorter_side: int = 0) -> Preparation:
        """How pictures become its input: as a head of its kind wants it, or as the user says."""
        height, width = self.size
        dtype = self.picture.dtype
        if dtype is not None and dtype.kind != "f" and self.said.values is None:
            values = VALUES["0-255"]
        return Preparation(
            height,
            width,
            fit=self.said.fit or fit,
            values=VALUES[self.said.values] if self.said.values else values,
            shorter_side=shorter_side,
            channels_last=self.channels_last,
            channels=self.channels,
            dtype=dtype or np.dtype(np.float32),
        )

    def labels(self, count: int | None) -> tuple[str, ...]:
        """Names of its classes, `count` of them; any number when that is None.

        Raises:
            UnusableModelError: nobody names them, or another number of them.
        """
        labels = self.named
        if labels is None and count in (len(COCO_CLASSES), len(COCO_IDS)):
            return COCO_CLASSES if count == len(COCO_CLASSES) else COCO_IDS
        if labels is None:
            some = "classes" if count is None else f"{count} classes"
            raise UnusableModelError(
                f"{self.name} does not name its {some}: do so with --labels, a text file with a "
                "name on each line or names with commas between them."
            )
        if count is not None and len(labels) != count:
            raise UnusableModelError(
                f"{self.name} tells {count} classes apart, and {len(labels)} are named. "
                "Name all, in their order, with --labels."
            )
        return labels

    @property
    def named(self) -> tuple[str, ...] | None:
        """The names that the user, the metadata or a file beside it gives to the classes."""
        if self.said.labels is not None:
            return read_labels(self.said.labels)
        names = self.metadata_value("names")
        if names is None:
            names = self.beside("config.json").get("id2label")
        if isinstance(names, dict):
            names = [names[key] for key in sorted(names, key=int)]
        if isinstance(names, (list, tuple)):
            return tuple(map(str, names))
        # A folder of many models has no labels that are sure to be this one's.
        folder = Path(self.said.path).parent
        if sum(1 for _ in folder.glob("*.onnx")) == 1:
            for name in LABEL_FILES:
                if (folder / name).is_file():
                    return read_labels(folder / name)
        return None

    def keypoint_names(self, count: int) -> tuple[str, ...]:
        """Names of `count` keypoints: said, COCO's, or their numbers."""
        names: Any = self.said.keypoints or self.metadata_value("kpt_names")
        if isinstance(names, dict):  # by class; poses of several classes share their keypoints
            names = next(iter(names.values()), None)
        if not isinstance(names, (list, tuple)) or not names:
            coco = count == len(COCO_KEYPOINTS)
            return COCO_KEYPOINTS if coco else tuple(str(index) for index in range(count))
        if len(names) != count:
            raise UnusableModelError(
                f"{self.name} finds {count} keypoints, and {len(names)} are named."
            )
        return tuple(map(str, names))

    def beside(self, file_name: str) -> Mapping[str, Any]:
        """A JSON file in the folder of the model, as transformers and optimum leave them."""
        path = Path(self.said.path).parent / file_name
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def values_beside(self) -> Values | None:
        """The range of values that a `preprocessor_config.json` tells of; None without one."""
        told = self.beside("preprocessor_config.json")
        if not told:
            return None
        scale = float(told.get("rescale_factor", 1 / 255)) if told.get("do_rescale", True) else 1.0
        if not told.get("do_normalize", True) or "image_mean" not in told:
            return Values(f"0..{255 * scale:g}", scale)
        return Values("its own mean", scale, tuple(told["image_mean"]), tuple(told["image_std"]))

    def _size_beside(self) -> tuple[int, int] | None:
        preprocessor = self.beside("preprocessor_config.json")
        size = preprocessor.get("crop_size") or preprocessor.get("size")
        if isinstance(size, dict):
            size = [size.get("height"), size.get("width")]
        return _pair(size)


def read_labels(labels: str | Path | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Names from a text file, from a text with commas, or as they are.

    Raises:
        UnusableModelError: the file is not there or cannot be read.
    """
    if isinstance(labels, (tuple, list)):
        return tuple(labels)
    if isinstance(labels, str) and "," in labels:
        return tuple(name.strip() for name in labels.split(","))
    path = Path(labels)
    if isinstance(labels, str) and not path.suffix and not path.exists():
        return (labels,)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableModelError(
            f"Names of classes cannot be read from {path}: {error}."
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def _pair(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int):
        return (value, value)
    if isinstance(value, (list, tuple)) and len(value) == 2:
        first, second = value
        if isinstance(first, int) and isinstance(second, int):
            return first, second
    return None
