from __future__ import annotations

import pytest

from inference_sdk.http.utils.aliases import (
    REGISTERED_ALIASES,
    resolve_ocr_path,
    resolve_roboflow_model_alias,
)


@pytest.mark.parametrize(
    ("alias", "model_id"),
    [
        ("yolov8n-640", "coco/3"),
        ("rfdetr-base", "coco/36"),
        ("yolo11n-640", "coco/25"),
        ("rfdetr-keypoint-preview", "microsoft/coco-pose-detection-17-rfdetr-keypoint-preview-t1"),
        ("yolo26x-depth-768", "yolo26-pretrains/yolo26x-depth"),
    ],
)
def test_aliases_are_resolved(alias: str, model_id: str) -> None:
    assert resolve_roboflow_model_alias(alias) == model_id


@pytest.mark.parametrize("model_id", ["my-project/7", "coco/3", ""])
def test_other_ids_pass_through(model_id: str) -> None:
    assert resolve_roboflow_model_alias(model_id) == model_id


def test_no_alias_leads_to_another() -> None:
    assert not set(REGISTERED_ALIASES.values()) & set(REGISTERED_ALIASES)
    assert all("/" in model_id for model_id in REGISTERED_ALIASES.values())


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("doctr", "/doctr/ocr"),
        ("TrOCR", "/ocr/trocr"),
        ("EASY_OCR", "/easy_ocr/ocr"),
        ("pp_ocr", "/ocr/pp-ocr"),
    ],
)
def test_ocr_models_in_any_case(model: str, path: str) -> None:
    assert resolve_ocr_path(model) == path


def test_an_unknown_ocr_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'tesseract'.*doctr, easy_ocr, pp_ocr, trocr"):
        resolve_ocr_path("tesseract")
