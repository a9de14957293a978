"""What a workflow keeps from one picture to the next: buffers, and values under a key."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import WORKFLOW_IMAGE, Block, Outputs, Text, refers
from inference_sdk.local.workflows.images import WorkflowImage

VideoImage = Annotated[WorkflowImage, refers(k.IMAGE, to=WORKFLOW_IMAGE)]
MAX_VALUES = 1024
"""Under different keys of one video."""


class Buffer(Block):
    """The last `length` values, newest first; with `pad`, filled up with null."""

    TYPES = ("roboflow_core/buffer@v1", "Buffer")
    OUTPUTS = {"output": (k.LIST,)}

    data: Annotated[Any, refers(k.ANY, k.IMAGE, k.LIST)]
    length: Annotated[int, Field(gt=0)]
    pad: bool = False

    def run(self) -> Outputs:
        values = self.kept("values", lambda: deque[Any](maxlen=self.length))
        values.appendleft(self.data)
        padding = [None] * (self.length - len(values)) if self.pad else []
        return {"output": [*values, *padding]}


class CacheSet(Block):
    """Keeps a value for cache_get."""

    TYPES = ("roboflow_core/cache_set@v1",)
    OUTPUTS = {"output": (k.ANY,)}

    image: VideoImage
    key: Text
    value: Annotated[Any, refers(k.ANY, k.LIST)]

    def run(self) -> Outputs:
        values = self.shared(("cache", self.image.video_identifier), dict[str, Any])
        if self.key not in values and len(values) >= MAX_VALUES:
            raise ValueError(
                f"A video keeps at most {MAX_VALUES} values; '{self.key}' is one more."
            )
        values[self.key] = self.value
        return {"output": self.value}


class CacheGet(Block):
    """The value kept under a key for this video; false where there is none."""

    TYPES = ("roboflow_core/cache_get@v1",)
    OUTPUTS = {"output": (k.ANY,)}

    image: VideoImage
    key: Text

    def run(self) -> Outputs:
        values = self.shared(("cache", self.image.video_identifier), dict[str, Any])
        return {"output": values.get(self.key, False)}
