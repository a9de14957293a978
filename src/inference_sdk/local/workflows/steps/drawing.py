"""Steps that draw predictions onto a copy of the picture, with Pillow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inference_sdk.local.workflows.registry import Outputs, step
from inference_sdk.local.workflows.values import Predictions, WorkflowImage

if TYPE_CHECKING:
    import PIL.ImageDraw

Box = Mapping[str, Any]
Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (163, 81, 251),
    (255, 64, 64),
    (255, 161, 160),
    (255, 118, 51),
    (255, 182, 51),
    (209, 212, 53),
    (76, 251, 18),
    (148, 207, 26),
    (64, 222, 138),
    (27, 150, 64),
    (0, 214, 193),
    (46, 156, 170),
    (0, 196, 255),
    (54, 71, 151),
    (102, 117, 255),
    (0, 25, 239),
)
"""RGB; a class keeps its colour from frame to frame."""

TEXTS: Mapping[str, Callable[[Box], str]] = {
    "Class": lambda box: str(box.get("class")),
    "Confidence": lambda box: f"{box.get('confidence', 0.0):.2f}",
    "Class and Confidence": lambda box: f"{box.get('class')} {box.get('confidence', 0.0):.2f}",
    "Index": lambda box: str(box.get("class_id")),
}


@step("roboflow_core/bounding_box_visualization@v1", outputs={"image": WorkflowImage})
def bounding_box_visualization(
    image: WorkflowImage, predictions: Predictions, thickness: int = 2
) -> Outputs:
    """The outline of each box."""

    def draw(canvas: PIL.ImageDraw.ImageDraw, box: Box) -> None:
        canvas.rectangle(_corners(box), outline=_colour(box), width=thickness)

    return {"image": _drawn(image, predictions, draw)}


@step("roboflow_core/label_visualization@v1", outputs={"image": WorkflowImage})
def label_visualization(
    image: WorkflowImage,
    predictions: Predictions,
    text: str = "Class",
    text_scale: float = 1.0,
    text_padding: int = 4,
) -> Outputs:
    """A label at the top left corner of each box: "Class", "Confidence", both, or "Index"."""
    if text not in TEXTS:
        raise ValueError(f"text must be one of {', '.join(TEXTS)}, not {text!r}.")
    size = max(round(14 * text_scale), 4)

    def draw(canvas: PIL.ImageDraw.ImageDraw, box: Box) -> None:
        left, top, _, _ = _corners(box)
        _draw_label(canvas, (left, top), TEXTS[text](box), _colour(box), size, text_padding)

    return {"image": _drawn(image, predictions, draw)}


@step("roboflow_core/keypoint_visualization@v1", outputs={"image": WorkflowImage})
def keypoint_visualization(
    image: WorkflowImage, predictions: Predictions, radius: int = 5
) -> Outputs:
    """A dot on each keypoint."""

    def draw(canvas: PIL.ImageDraw.ImageDraw, box: Box) -> None:
        for point in box.get("keypoints") or ():
            canvas.circle((point["x"], point["y"]), radius, fill=_colour(box))

    return {"image": _drawn(image, predictions, draw)}


@step("roboflow_core/polygon_visualization@v1", outputs={"image": WorkflowImage})
def polygon_visualization(
    image: WorkflowImage, predictions: Predictions, thickness: int = 2
) -> Outputs:
    """The outline of each mask, or of the box where there is no mask."""

    def draw(canvas: PIL.ImageDraw.ImageDraw, box: Box) -> None:
        outline = [(point["x"], point["y"]) for point in box.get("points") or ()]
        left, top, right, bottom = _corners(box)
        outline = outline or [(left, top), (right, top), (right, bottom), (left, bottom)]
        canvas.line([*outline, outline[0]], fill=_colour(box), width=thickness)

    return {"image": _drawn(image, predictions, draw)}


def _drawn(
    image: WorkflowImage,
    predictions: Predictions,
    draw: Callable[[PIL.ImageDraw.ImageDraw, Box], None],
) -> WorkflowImage:
    from PIL import ImageDraw

    picture = image.to_pillow().convert("RGB")
    canvas = ImageDraw.Draw(picture)
    for box in predictions.seen_in(image).boxes:
        draw(canvas, box)
    return image.with_pillow(picture)


def _draw_label(
    canvas: PIL.ImageDraw.ImageDraw,
    corner: tuple[float, float],
    text: str,
    colour: Colour,
    size: int,
    padding: int,
) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    x, y = corner[0], max(corner[1] - (bottom - top) - 2 * padding, 0)
    edge = (x + right - left + 2 * padding, y + bottom - top + 2 * padding)
    canvas.rectangle((x, y, *edge), fill=colour)
    canvas.text((x + padding - left, y + padding - top), text, fill=(255, 255, 255), font=font)


def _corners(box: Box) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    half_width, half_height = box["width"] / 2, box["height"] / 2
    x, y = box["x"], box["y"]
    return x - half_width, y - half_height, x + half_width, y + half_height


def _colour(box: Box) -> Colour:
    return PALETTE[int(box.get("class_id") or 0) % len(PALETTE)]
