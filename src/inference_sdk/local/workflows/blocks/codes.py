"""QR codes and bar codes: read out of pictures, and made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Image, Outputs, Text, takes
from inference_sdk.local.workflows.colours import bgr_of
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import Lineage, WorkflowImage, new_id, still_metadata

MODULE = 10
"""Pixels of a side of one square of a generated code."""

LEVELS = {
    "Low (~7% word recovery / highest data capacity)": "L",
    "Medium (~15% word recovery)": "M",
    "Quartile (~25% word recovery)": "Q",
    "High (~30% word recovery / lowest data capacity)": "H",
}
QR = ("QRCode", "MicroQRCode", "RMQRCode", "QR Code", "Micro QR Code", "rMQR Code")
"""Names of the formats that are QR codes, as releases of zxing-cpp spell them."""


class QRCodeDetector(Block):
    """QR codes as boxes of the class qr_code, with what they say as data."""

    TYPES = ("roboflow_core/qr_code_detector@v1", "QRCodeDetector", "QRCodeDetection")
    OUTPUTS = {"predictions": (k.QR_CODES,)}

    images: Image

    def run(self) -> Outputs:
        read = [code for code in _codes(self.images) if _is_qr(code)]
        found = _found(self.images, read, "qr_code")
        # Told as OpenCV's reader does it: up to the last pixel of the code, not behind it.
        return {"predictions": found.with_boxes(found.xyxy - np.array([0, 0, 1, 1]))}


class BarcodeDetector(Block):
    """Bar codes as boxes of the class barcode, with what they say as data."""

    TYPES = ("roboflow_core/barcode_detector@v1", "BarcodeDetector", "BarcodeDetection")
    OUTPUTS = {"predictions": (k.BAR_CODES,)}

    images: Image

    def run(self) -> Outputs:
        return {"predictions": _found(self.images, _codes(self.images), "barcode")}


def _codes(image: WorkflowImage) -> list[Any]:
    import zxingcpp

    return list(zxingcpp.read_barcodes(np.ascontiguousarray(image.gray)))


def _is_qr(code: Any) -> bool:
    return str(code.format).rpartition(".")[2] in QR


def _found(image: WorkflowImage, codes: Iterable[Any], name: str) -> Detections:
    read = list(codes)
    boxes = [_box(code.position) for code in read]
    return Detections.of(
        boxes, classes=[name] * len(boxes), image=image, data=[code.text for code in read]
    )


def _box(position: Any) -> tuple[int, int, int, int]:
    """The upright box round the four corners of a code."""
    corners = (
        position.top_left,
        position.top_right,
        position.bottom_right,
        position.bottom_left,
    )
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return min(xs), min(ys), max(xs), max(ys)


class QRCodeGenerator(Block):
    """The picture of a QR code."""

    TYPES = ("roboflow_core/qr_code_generator@v1", "QRCodeGenerator")
    OUTPUTS = {"qr_code": (k.IMAGE,)}

    text: Text
    error_correct: Literal[
        "Low (~7% word recovery / highest data capacity)",
        "Medium (~15% word recovery)",
        "Quartile (~25% word recovery)",
        "High (~30% word recovery / lowest data capacity)",
    ] = "Medium (~15% word recovery)"
    border: Annotated[int, takes(k.INTEGER)] = 4
    fill_color: Text = "BLACK"
    back_color: Text = "WHITE"

    def run(self) -> Outputs:
        if not self.text:
            raise ValueError("A QR code needs a text.")
        dark = np.kron(self._modules(), np.ones((MODULE, MODULE), bool))
        pixels = np.where(dark[:, :, None], bgr_of(self.fill_color), bgr_of(self.back_color))
        name = f"qr_code.{new_id()}"
        made = WorkflowImage(
            pixels.astype(np.uint8), metadata=still_metadata(name), lineage=Lineage(name)
        )
        return {"qr_code": made}

    def _modules(self) -> Any:
        """Dark squares as True, with the border."""
        import cv2

        levels = {
            "L": cv2.QRCODE_ENCODER_CORRECT_LEVEL_L,
            "M": cv2.QRCODE_ENCODER_CORRECT_LEVEL_M,
            "Q": cv2.QRCODE_ENCODER_CORRECT_LEVEL_Q,
            "H": cv2.QRCODE_ENCODER_CORRECT_LEVEL_H,
        }
        settings = cv2.QRCodeEncoder_Params()  # type: ignore[attr-defined]
        settings.correction_level = levels[LEVELS[self.error_correct]]
        encoder = cv2.QRCodeEncoder_create(settings)  # type: ignore[attr-defined]
        drawn = encoder.encode(self.text)
        dark = np.asarray(drawn) < 128
        rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
        tight = dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return np.pad(tight, max(self.border, 0))
