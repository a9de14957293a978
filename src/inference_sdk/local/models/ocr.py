"""Text in pictures, by RapidOCR: its wheel brings the PP-OCR models, so it needs no network.

It needs the extra `local-ocr`. Whichever OCR family a request names, this one answers, and says so.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from inference_sdk.local.models import boxes, catalogue
from inference_sdk.local.models.network import MAX_THREADS, runtime
from inference_sdk.local.models.sharing import shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from inference_sdk.local.models.parameters import InferenceParameters


SHORTER_SIDE = 320
"""Pictures below it are enlarged to it. By default RapidOCR takes 736, reads no more, and needs
three times as long."""


class Engine:
    """RapidOCR, read from by one thread at a time: it keeps in itself what a call is about."""

    def __init__(self) -> None:
        runtime()  # sees to its telemetry before RapidOCR imports it
        from rapidocr import RapidOCR

        threads = min(os.cpu_count() or 1, MAX_THREADS)
        # What it answers depends on arguments of the call, which its types do not tell.
        self._read: Callable[[NDArray[np.uint8]], Any] = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Det.limit_side_len": SHORTER_SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )
        self._turn = threading.Lock()

    def read(self, image: NDArray[np.uint8]) -> Any:
        """Its answer about a BGR image: `txts`, `scores`, `boxes`."""
        with self._turn:
            return self._read(np.ascontiguousarray(image))


class TextReader:
    """Optical character recognition; answers with lines from top to bottom."""

    def __init__(self, model_id: str) -> None:
        self.description = catalogue.TEXT.describe(model_id)
        self._engine = shared("rapidocr", Engine)

    def infer(self, image: NDArray[np.uint8], parameters: InferenceParameters) -> dict[str, Any]:
        found = self._engine.read(image)
        texts = list(found.txts or ())
        answer: dict[str, Any] = {"result": "\n".join(texts)}
        if parameters.generate_bounding_boxes:
            corners = np.asarray(found.boxes, np.float32) if texts else np.empty((0, 4, 2))
            sides = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
            answer |= boxes.answer(
                image,
                [
                    boxes.prediction(box, score, 0, text)
                    for box, score, text in zip(sides, found.scores or (), texts, strict=True)
                ],
            )
        return answer
