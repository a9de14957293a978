"""What the blocks that draw have in common: the picture, the palette, supervision's annotators.

supervision is loaded with the first picture that is drawn on: it takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import (
    Block,
    Flag,
    Image,
    Outputs,
    Whole,
    refers,
    takes,
)
from inference_sdk.local.workflows.colours import rgb_of
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import Pixels

if TYPE_CHECKING:
    import supervision as sv

Position = Annotated[
    Literal[
        "CENTER",
        "CENTER_LEFT",
        "CENTER_RIGHT",
        "TOP_CENTER",
        "TOP_LEFT",
        "TOP_RIGHT",
        "BOTTOM_LEFT",
        "BOTTOM_CENTER",
        "BOTTOM_RIGHT",
        "CENTER_OF_MASS",
    ],
    takes(k.STRING),
]

MATPLOTLIB = (
    "Viridis",
    "Plasma",
    "Inferno",
    "Magma",
    "Cividis",
    "Pastel1",
    "Pastel2",
    "Paired",
    "Accent",
    "Dark2",
    "Set1",
    "Set2",
    "Set3",
    "Tab10",
    "Tab20",
    "Tab20b",
    "Tab20c",
)
PALETTES = ("DEFAULT", "CUSTOM", "ROBOFLOW", *(f"Matplotlib {name}" for name in MATPLOTLIB))

FULL_CIRCLE = 360
"""Some numbers are degrees."""

Palette = Annotated[Literal[PALETTES], takes(k.STRING)]  # type: ignore[valid-type]
Drawable = Annotated[Detections, refers(*k.ALL_BOXES, k.RLE_SEGMENTS)]


class Drawing(Block):
    """Draws on a picture: subclasses write `draw`."""

    OUTPUTS = {"image": (k.IMAGE,)}

    image: Image
    copy_image: Flag = True

    def run(self) -> Outputs:
        pixels = self.image.bgr
        if self.copy_image or not pixels.flags.writeable:
            pixels = pixels.copy()
        self._bound_sizes(max(pixels.shape[:2]))
        drawn = self.draw(np.ascontiguousarray(pixels))
        return {"image": self.image.with_pixels(np.asarray(drawn, np.uint8))}

    def _bound_sizes(self, longest: int) -> None:
        """No line or radius is larger than the picture: it would be drawn for minutes."""
        longest = max(longest, FULL_CIRCLE)
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, (int, float)) and value > longest:
                setattr(self, name, longest)

    def draw(self, scene: Pixels) -> Pixels:
        """The picture with something drawn on it; may be the very array.

        Args:
            scene: uint8 of (H, W, 3), BGR, to be drawn on.
        """
        raise NotImplementedError


class DetectionsDrawing(Drawing):
    """Draws something for each detection: subclasses write `draw_detections`."""

    predictions: Drawable

    def draw(self, scene: Pixels) -> Pixels:
        return self.draw_detections(scene, self.predictions.seen_in(self.image))

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        """The picture with the detections, which are in its pixels."""
        raise NotImplementedError


class PaletteFields(BaseModel):
    """The fields by which blocks choose colours."""

    color_palette: Palette = "DEFAULT"
    palette_size: Whole = 10
    custom_colors: Annotated[list[str], takes(k.LIST)] = Field(default_factory=list)
    color_axis: Annotated[Literal["INDEX", "CLASS", "TRACK"], takes(k.STRING)] = "CLASS"

    def colours(self) -> dict[str, Any]:
        """The arguments for colours that supervision's annotators take."""
        import supervision as sv

        return {
            "color": palette_of(self.color_palette, self.palette_size, tuple(self.custom_colors)),
            "color_lookup": getattr(sv.ColorLookup, self.color_axis),
        }


class ColouredDrawing(PaletteFields, DetectionsDrawing):
    """Draws in colours of a palette: subclasses write `annotator`, or `draw_detections`."""

    def annotator(self) -> Any:
        """Supervision's annotator with the settings of this step."""
        raise NotImplementedError

    def draw_detections(self, scene: Pixels, found: Detections) -> Pixels:
        return np.asarray(self.annotator().annotate(scene, found.to_supervision()))


@lru_cache(maxsize=32)
def palette_of(name: str, size: int, custom: Sequence[str]) -> sv.ColorPalette:
    """Supervision's palette of a name."""
    import supervision as sv

    if name == "CUSTOM":
        if not custom:
            raise ValueError("color_palette CUSTOM needs custom_colors, a list of colours.")
        return sv.ColorPalette([colour_of(colour) for colour in custom])
    if name in ("DEFAULT", "ROBOFLOW"):
        palette: sv.ColorPalette = getattr(sv.ColorPalette, name)
        return palette
    plain = name.removeprefix("Matplotlib ")
    # Scales are written small, sets with a capital; tab10 and its kin small.
    small = plain.lower() in {"viridis", "plasma", "inferno", "magma", "cividis"}
    mapped = plain.lower() if small or plain.startswith("Tab") else plain
    return sv.ColorPalette.from_matplotlib(mapped, size)


def colour_of(value: Any) -> sv.Color:
    """Supervision's colour of any spelling."""
    import supervision as sv

    return sv.Color(*rgb_of(value))


def position_of(name: str) -> sv.Position:
    import supervision as sv

    found: sv.Position = getattr(sv.Position, name)
    return found
