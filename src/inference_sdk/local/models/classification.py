"""Answers about whole pictures: which classes, and how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters


def single_label(
    shares: NDArray[np.float32],
    names: tuple[str, ...],
    size: tuple[int, int],
    parameters: InferenceParameters,
) -> dict[str, Any]:
    """One of the classes: those sure enough, the surest first, and `top`.

    Args:
        shares: how sure of each class, 0..1.
        names: of the classes.
        size: width and height of the picture.
        parameters: `confidence` and `class_filter` are heeded.
    """
    predictions = [
        {"class": names[index], "class_id": int(index), "confidence": float(shares[index])}
        for index in np.argsort(-shares, kind="stable")
        if shares[index] >= parameters.confidence and _wanted(names[index], parameters)
    ]
    top = predictions[0] if predictions else {"class": "", "confidence": 0.0}
    return {
        "image": {"width": size[0], "height": size[1]},
        "predictions": predictions,
        "top": top["class"],
        "confidence": top["confidence"],
    }


def multi_label(
    shares: NDArray[np.float32],
    names: tuple[str, ...],
    size: tuple[int, int],
    parameters: InferenceParameters,
) -> dict[str, Any]:
    """Any number of the classes; arguments as of `single_label`."""
    predictions = {
        name: {"confidence": float(shares[index]), "class_id": index}
        for index, name in enumerate(names)
        if _wanted(name, parameters)
    }
    return {
        "image": {"width": size[0], "height": size[1]},
        "predictions": predictions,
        "predicted_classes": [
            name
            for name, prediction in predictions.items()
            if prediction["confidence"] >= parameters.confidence
        ],
    }


def _wanted(name: str, parameters: InferenceParameters) -> bool:
    return parameters.class_filter is None or name in parameters.class_filter
