"""Steps that make a picture out of a picture: grey, blurred, cut out."""

from __future__ import annotations

from typing import Any

from inference_sdk.local.workflows.registry import Outputs, step
from inference_sdk.local.workflows.values import Predictions, WorkflowImage

MAX_BLUR_KERNEL = 99
"""Pixels. More costs seconds a frame, and no picture is the better for it."""


@step("roboflow_core/convert_grayscale@v1", outputs={"image": WorkflowImage})
def convert_grayscale(image: WorkflowImage) -> Outputs:
    """Luma of the picture, one channel."""
    return {"image": image.with_pixels(image.gray)}


@step("roboflow_core/image_blur@v1", outputs={"image": WorkflowImage})
def image_blur(image: WorkflowImage, blur_type: str = "gaussian", kernel_size: int = 5) -> Outputs:
    """Blur over `kernel_size` pixels: "gaussian", "average" or "median"."""
    from PIL import ImageFilter

    if not 1 <= kernel_size <= MAX_BLUR_KERNEL:
        raise ValueError(f"kernel_size must be 1 to {MAX_BLUR_KERNEL}, not {kernel_size}.")
    radius = kernel_size // 2
    filters = {
        # The sigma that OpenCV derives from a kernel size, so that results look the same.
        "gaussian": ImageFilter.GaussianBlur(0.3 * (radius - 1) + 0.8 if radius else 0),
        "average": ImageFilter.BoxBlur(radius),
        "median": ImageFilter.MedianFilter(2 * radius + 1),
    }
    if blur_type not in filters:
        raise ValueError(f"blur_type must be one of {', '.join(filters)}, not {blur_type!r}.")
    return {"image": image.with_pillow(image.to_pillow().filter(filters[blur_type]))}


@step(
    "roboflow_core/dynamic_crop@v1",
    outputs={"crops": WorkflowImage, "predictions": Predictions},
    lists=frozenset({"crops", "predictions"}),
)
def dynamic_crop(images: WorkflowImage, predictions: Predictions) -> Outputs:
    """One crop for each box, and beside it that box in the pixels of its crop."""
    crops, found = [], []
    for box in predictions.seen_in(images).boxes:
        edges = _edges(box["x"], box["y"], box["width"], box["height"])
        if images.overlaps(*edges):
            crops.append(images.crop(*edges))
            found.append(_alone(box, crops[-1], images))
    return {"crops": crops, "predictions": found}


@step("roboflow_core/absolute_static_crop@v1", outputs={"crops": WorkflowImage})
def absolute_static_crop(
    images: WorkflowImage, x_center: int, y_center: int, width: int, height: int
) -> Outputs:
    """The same part of each picture, in pixels."""
    return {"crops": images.crop(*_edges(x_center, y_center, width, height))}


@step("roboflow_core/relative_static_crop@v1", outputs={"crops": WorkflowImage})
def relative_static_crop(
    images: WorkflowImage, x_center: float, y_center: float, width: float, height: float
) -> Outputs:
    """The same part of each picture, in fractions of its size."""
    edges = _edges(
        x_center * images.width,
        y_center * images.height,
        width * images.width,
        height * images.height,
    )
    return {"crops": images.crop(*edges)}


def _edges(x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box that is given by its centre."""
    return (
        round(x - width / 2),
        round(y - height / 2),
        round(x + width / 2),
        round(y + height / 2),
    )


def _alone(box: dict[str, Any], crop: WorkflowImage, whole: WorkflowImage) -> Predictions:
    """One box of `whole` as the predictions of its crop."""
    answer = {"image": {"width": crop.width, "height": crop.height}, "predictions": [box]}
    return Predictions(answer, whole.origin).seen_in(crop)
