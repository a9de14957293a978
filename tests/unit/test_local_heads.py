"""What the embedded server makes of ONNX files: kinds told from metadata and shapes, answers known."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest
from onnx import TensorProto
from PIL import Image

from inference_sdk.local import InferenceParameters, ModelFile, UnusableModelError
from inference_sdk.local.models.own import OwnModel
from tests.onnx_files import ULTRALYTICS, columns, constant, mean_classifier, rows

WIDE = np.zeros((32, 64, 3), np.uint8)
"""In a network of 64x64 it lies at its own size, 16 below the upper edge."""

V5 = {"stride": "32", "names": "{0: 'cat', 1: 'dog'}"}
CAT = [32.0, 32, 16, 8]
"""Centre and size in the network; in WIDE the centre is 32, 16."""
CAT_ALIKE = [33.0, 32, 16, 8]
DOG = [12.0, 24, 8, 8]
PROTOTYPES = np.zeros((1, 2, 16, 16), np.float32)
PROTOTYPES[0, 0] = -9
PROTOTYPES[0, 0, 7:9, 7:9] = 9  # 28..36 each way in the network
PROTOTYPES[0, 1] = 1
LOGIT = 4.0
SHARE = 1 / (1 + np.exp(-LOGIT))
QUERIES = rows([0.5, 0.5, 0.25, 0.125], [0.1875, 0.375, 0.125, 0.125], of=20)
SCORES = np.full((1, 20, 3), -9, np.float32)
SCORES[0, 0, 0], SCORES[0, 1, 1] = LOGIT, LOGIT - 1


@dataclass
class Case:
    """A file, and what it has to be understood as."""

    kind: str
    outputs: dict[str, np.ndarray]
    metadata: dict[str, str] = field(default_factory=lambda: dict(ULTRALYTICS))
    said: dict[str, Any] = field(default_factory=dict)
    inputs: Any = None
    fit: str = "letterbox"
    values: str = "0..1"


CASES = {
    "v8": Case(
        "YOLO11n, object-detection",
        {"output0": columns([*CAT, 0.9, 0.1], [*CAT_ALIKE, 0.8, 0.1], [*DOG, 0.1, 0.7])},
    ),
    "v8-by-labels": Case(
        "YOLOv8, object-detection",
        {"output0": columns([*CAT, 0.9, 0.1], [*CAT_ALIKE, 0.8, 0.1], [*DOG, 0.1, 0.7], of=9)},
        metadata={},
        said={"labels": "cat, dog"},
    ),
    "v8-half": Case(
        "YOLO11n, object-detection",
        {"output0": columns([*CAT, 0.9, 0.1], [*DOG, 0.1, 0.7]).astype(np.float16)},
        inputs=(("images", TensorProto.FLOAT16, [1, 3, 64, 64]),),
    ),
    "v8-channels-last": Case(
        "YOLO11n, object-detection",
        {"output0": columns([*CAT, 0.9, 0.1], [*DOG, 0.1, 0.7])},
        inputs=(("images", TensorProto.FLOAT, [1, 64, 64, 3]),),
    ),
    "v8-any-size": Case(
        "YOLO11n, object-detection",
        {"output0": columns([*CAT, 0.9, 0.1], [*DOG, 0.1, 0.7])},
        inputs=(("images", TensorProto.FLOAT, ["N", 3, "h", "w"]),),
    ),
    "v5": Case(
        "YOLOv5, object-detection",
        {"output": rows([*CAT, 0.9, 1, 0.1], [*CAT_ALIKE, 0.8, 1, 0], [*DOG, 0.7, 0, 1], of=252)},
        metadata=V5,
    ),
    "v5-few": Case(
        "YOLOv5, object-detection",
        {"output": rows([*CAT, 0.9, 1, 0.1], [*DOG, 0.7, 0, 1], of=10)},
        metadata=V5,
    ),
    "ended": Case(
        "YOLO11n, object-detection with built-in suppression",
        {"output0": rows([24, 28, 40, 36, 0.9, 0], [8, 20, 16, 28, 0.7, 1], of=300)},
    ),
    "rt-detr": Case(
        "rtdetr-l, object-detection",
        {"output0": rows([0.5, 0.5, 0.25, 0.125, 0.9, 0.1],
                         [0.1875, 0.25, 0.125, 0.25, 0.1, 0.7], of=300)},
        metadata={**ULTRALYTICS, "description": "Ultralytics rtdetr-l model"},
        fit="stretch",
    ),
    "rf-detr": Case(
        "RF-DETR, object-detection",
        {"dets": QUERIES, "labels": SCORES},
        metadata={},
        said={"labels": ["cat", "dog"]},
        fit="stretch",
        values="ImageNet's mean",
    ),
    "detr": Case(
        "DETR, object-detection",
        {"logits": SCORES - np.array([0, 0, -20], np.float32) * (SCORES.max(2) < 0)[..., None],
         "pred_boxes": QUERIES},
        metadata={},
        said={"labels": ["cat", "dog"]},
        inputs=(("pixel_values", TensorProto.FLOAT, [1, 3, 64, 64]),
                ("pixel_mask", TensorProto.INT64, [1, 64, 64])),
        fit="stretch",
        values="ImageNet's mean",
    ),
    "d-fine": Case(
        "D-FINE, object-detection",
        {"labels": np.array([[0, 1, 0]]),
         "boxes": np.array([[[24, 28, 40, 36], [8, 20, 16, 28], [0, 0, 9, 9]]], np.float32),
         "scores": np.array([[0.9, 0.7, 0.2]], np.float32)},
        metadata={},
        said={"labels": ["cat", "dog"]},
        inputs=(("images", TensorProto.FLOAT, [1, 3, 64, 64]),
                ("orig_target_sizes", TensorProto.INT64, [1, 2])),
        fit="stretch",
    ),
}  # fmt: skip


def _open(path: Path, case: Case) -> OwnModel:
    inputs = {} if case.inputs is None else {"inputs": case.inputs}
    file = constant(path / "model.onnx", case.outputs, case.metadata, **inputs)
    return OwnModel("mine/1", ModelFile(file, **case.said))


def _ask(model: OwnModel, image: np.ndarray = WIDE, **parameters: Any) -> list[dict[str, Any]]:
    answer = model.infer(image, InferenceParameters(**parameters))
    assert answer["image"] == {"width": image.shape[1], "height": image.shape[0]}
    return answer["predictions"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_objects_are_found_where_the_file_says(case: Case, tmp_path: Path) -> None:
    model = _open(tmp_path, case)
    said = str(model)
    assert f"{case.kind}; 2 classes" in said or "3 classes (cat, dog, unused)" in said
    assert f"64x64 {case.fit}, RGB {case.values}" in said
    assert model.description["task_type"] == "object-detection"
    cat, dog = _ask(model)
    assert [cat["class"], cat["class_id"], dog["class"], dog["class_id"]] == ["cat", 0, "dog", 1]
    half_as_high = 0.5 if case.fit == "stretch" else 1
    assert (cat["x"], cat["y"]) == pytest.approx((32, 16))
    assert (cat["width"], cat["height"]) == pytest.approx((16, 8 * half_as_high))
    assert dog["x"] == pytest.approx(12)
    assert dog["width"] == pytest.approx(8)
    if "detr" not in case.kind.lower() or case.kind.startswith("rtdetr"):
        assert cat["confidence"] == pytest.approx(0.9, abs=0.01)
        assert dog["confidence"] == pytest.approx(0.7, abs=0.01)


def test_shares_of_detr(tmp_path: Path) -> None:
    cat, dog = _ask(_open(tmp_path, CASES["rf-detr"]))
    assert cat["confidence"] == pytest.approx(SHARE, abs=1e-5)
    assert dog["y"] == pytest.approx(0.375 * 32)
    spread = np.exp(LOGIT) / (np.exp(LOGIT) + 2 * np.exp(-9))
    assert _ask(_open(tmp_path, CASES["detr"]))[0]["confidence"] == pytest.approx(spread, abs=1e-4)


def test_suppression_is_left_to_networks_that_have_it_built_in(tmp_path: Path) -> None:
    table = rows([24, 28, 40, 36, 0.9, 0], [24, 28, 41, 36, 0.8, 0], of=300)
    assert len(_ask(_open(tmp_path, Case("", {"output0": table})))) == 2


def test_parameters_reach_own_models(tmp_path: Path) -> None:
    model = _open(tmp_path, CASES["v8"])
    assert [p["class"] for p in _ask(model, confidence=0.75)] == ["cat"]
    assert [p["class"] for p in _ask(model, class_filter=("dog",))] == ["dog"]
    assert len(_ask(model, iou_threshold=1)) == 3
    assert len(_ask(model, max_detections=1)) == 1


@pytest.mark.parametrize("form", ["v8", "v5", "ended"])
def test_masks(form: str, tmp_path: Path) -> None:
    table = {
        "v8": columns([32, 32, 20, 20, 0.9, 0.1, 1, 0]),
        "v5": rows([32, 32, 20, 20, 0.9, 1, 0, 1, 0], of=252),
        "ended": rows([22, 22, 42, 42, 0.9, 0, 1, 0], of=300),
    }[form]
    metadata = V5 if form == "v5" else {**ULTRALYTICS, "task": "segment"}
    model = _open(tmp_path, Case("", {"output0": table, "output1": PROTOTYPES}, metadata))
    assert model.description["task_type"] == "instance-segmentation"
    (cat,) = _ask(model)
    outline = np.array([[point["x"], point["y"]] for point in cat["points"]])
    assert cat["mask_format"] == "polygon"
    # The square 28..36 of the network, give or take what lies between two of its coarse pixels.
    assert np.abs(outline.min(axis=0) - (28, 12)).max() <= 2
    assert np.abs(outline.max(axis=0) - (36, 20)).max() <= 2
    (cat,) = _ask(model, response_mask_format="rle")
    assert cat["mask_format"] == "rle"
    assert cat["rle"]["size"] == [32, 64]
    assert "points" not in cat


def test_masks_of_rf_detr(tmp_path: Path) -> None:
    masks = np.full((1, 20, 16, 16), -9, np.float32)
    masks[0, 0, 4:12, 2:6] = 9
    outputs = {"dets": QUERIES, "labels": SCORES, "masks": masks}
    model = _open(tmp_path, Case("", outputs, {}, {"labels": ["cat", "dog"]}))
    assert model.description["task_type"] == "instance-segmentation"
    (cat,) = _ask(model)  # the dog has no pixel
    outline = np.array([[point["x"], point["y"]] for point in cat["points"]])
    assert outline.min(axis=0) == pytest.approx((8, 8), abs=1)
    assert outline.max(axis=0) == pytest.approx((24, 24), abs=1)


@pytest.mark.parametrize("form", ["v8", "ended"])
@pytest.mark.parametrize("numbers", [2, 3])
def test_poses(form: str, numbers: int, tmp_path: Path) -> None:
    points = [[30, 30, 0.9], [34, 34, 0.2]]
    flat = [number for point in points for number in point[:numbers]]
    table = {
        "v8": columns([*CAT, 0.9, *flat]),
        "ended": rows([24, 28, 40, 36, 0.9, 0, *flat], of=300),
    }[form]
    metadata = {**ULTRALYTICS, "task": "pose", "names": "{0: 'person'}",
                "kpt_shape": f"[2, {numbers}]"}  # fmt: skip
    case = Case("", {"output0": table}, metadata, {"keypoints": ["head", "tail"]})
    (person,) = _ask(_open(tmp_path, case))
    head, tail = person["keypoints"]
    assert (head["class"], head["x"], head["y"]) == ("head", 30, 14)
    assert (tail["class"], tail["class_id"]) == ("tail", 1)
    assert head["confidence"] == pytest.approx(0.9 if numbers == 3 else 1)
    least = _ask(_open(tmp_path, case), keypoint_confidence=0.5)[0]["keypoints"]
    assert len(least) == (1 if numbers == 3 else 2)


@pytest.mark.parametrize("form", ["v8", "ended"])
def test_oriented_boxes(form: str, tmp_path: Path) -> None:
    quarter = np.pi / 2
    table = {
        "v8": columns([*CAT, 0.9, 0.1, quarter], [*CAT_ALIKE, 0.8, 0.1, quarter]),
        "ended": rows([*CAT, 0.9, 0, quarter], of=300),
    }[form]
    (cat,) = _ask(_open(tmp_path, Case("", {"output0": table}, {**ULTRALYTICS, "task": "obb"})))
    # Turned by a quarter, what was 16 wide is 16 high.
    assert (cat["width"], cat["height"]) == pytest.approx((8, 16), abs=1e-3)
    assert cat["rotation"] == pytest.approx(90)
    assert {(round(p["x"]), round(p["y"])) for p in cat["points"]} == {
        (28, 8), (36, 8), (36, 24), (28, 24)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([0.2, 0.8], 0.8), ([0.0, 2.0], 1 / (1 + np.exp(-2)))],
    ids=["shares", "logits"],
)
def test_classes(numbers: list[float], expected: float, tmp_path: Path) -> None:
    metadata = {**ULTRALYTICS, "task": "classify"}
    case = Case("", {"output0": np.array([numbers], np.float32)}, metadata)
    answer = _open(tmp_path, case).infer(WIDE, InferenceParameters())
    assert (answer["top"], answer["predictions"][0]["class_id"]) == ("dog", 1)
    assert answer["confidence"] == pytest.approx(expected)
    assert len(answer["predictions"]) == 1


def test_several_classes_at_once(tmp_path: Path) -> None:
    case = Case("", {"output0": np.array([[3, -3]], np.float32)}, said={"task": "multi-label"})
    model = _open(tmp_path, case)
    assert model.description["task_type"] == "classification"  # as clients know it
    answer = model.infer(WIDE, InferenceParameters())
    assert answer["predicted_classes"] == ["cat"]
    assert answer["predictions"]["dog"]["confidence"] == pytest.approx(1 / (1 + np.exp(3)))


@pytest.mark.parametrize("form", ["scores", "numbers"])
def test_semantic_segmentation(form: str, tmp_path: Path) -> None:
    scores = np.zeros((1, 2, 16, 16), np.float32)
    scores[0, 1, :, 8:] = 5
    scores[0, 0, :, :8] = 5
    output = scores if form == "scores" else scores.argmax(axis=1)
    case = Case("", {"out": output}, {}, {"labels": ["road", "sky"], "task": "semantic"})
    predictions = _open(tmp_path, case).infer(WIDE, InferenceParameters())["predictions"]
    mask = np.asarray(Image.open(BytesIO(pybase64.b64decode(predictions["segmentation_mask"]))))
    assert mask.shape == (32, 64)
    assert (mask[:, :31] == 0).all()
    assert (mask[:, 33:] == 1).all()
    assert predictions["class_map"] == {"0": "road", "1": "sky"}


@pytest.mark.parametrize(
    ("image", "values", "expected"),
    [
        (np.full((40, 80, 3), (0, 0, 255), np.uint8), "0-1", 1.0),
        (np.full((40, 80, 3), (255, 0, 0), np.uint8), "0-1", 0.0),  # BGR in, RGB to the network
        (np.full((40, 80, 3), 255, np.uint8), "-1-1", 1.0),
        (np.full((40, 80, 3), 255, np.uint8), "0-255", 255.0),
        (np.full((40, 80, 3), 255, np.uint8), "imagenet", (1 - 0.485) / 0.229),
    ],
)
def test_the_network_sees_rgb_in_the_range_it_wants(
    image: np.ndarray, values: str, expected: float, tmp_path: Path
) -> None:
    model = OwnModel("mine/1", ModelFile(mean_classifier(tmp_path / "m.onnx"), values=values))
    answer = model.infer(image, InferenceParameters(confidence=0))
    red = next(p["confidence"] for p in answer["predictions"] if p["class"] == "red")
    assert red == pytest.approx(1 / (1 + np.exp(-expected)), abs=1e-4)


def test_what_transformers_leave_beside_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"id2label": {"0": "cat", "1": "dog"}}')
    (tmp_path / "preprocessor_config.json").write_text(
        '{"size": {"height": 64, "width": 64}, "image_mean": [0.5, 0.5, 0.5],'
        ' "image_std": [0.5, 0.5, 0.5], "do_normalize": true}'
    )
    case = Case("", {"logits": np.array([[0, 1]], np.float32)}, {})
    said = str(_open(tmp_path, case))
    assert "2 classes (cat, dog); 64x64 stretch, RGB its own mean" in said


def test_labels_beside_a_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\n\n", "utf-8")
    case = Case("", CASES["v8"].outputs, {})
    assert "2 classes (cat, dog)" in str(_open(tmp_path, case))


NO_NAMES = {key: value for key, value in ULTRALYTICS.items() if key != "names"}

REFUSED = {
    "no-names": (Case("", CASES["v8"].outputs, {"task": "detect"}), r"2 classes: .* --labels"),
    "no-names-at-all": (Case("", CASES["ended"].outputs, NO_NAMES), "--labels"),
    "too-few-names": (Case("", CASES["v8"].outputs, {}, {"labels": "cat,dog,cow"}), "--labels"),
    "no-file-of-names": (Case("", CASES["v8"].outputs, {}, {"labels": "labels.txt"}), "labels.txt"),
    "no-size": (
        Case("", CASES["v8"].outputs, {}, inputs=(("x", TensorProto.FLOAT, [1, 3, "h", "w"]),)),
        "--size",
    ),
    "no-prototypes": (Case("", CASES["v8"].outputs, {**ULTRALYTICS, "task": "segment"}), "proto"),
    "no-picture": (
        Case("", CASES["v8"].outputs, inputs=(("x", TensorProto.FLOAT, [1, 9]),)),
        "four axes",
    ),
    "odd-channels": (
        Case("", CASES["v8"].outputs, inputs=(("x", TensorProto.FLOAT, [1, 5, 64, 64]),)),
        "5 channels",
    ),
    "odd-input": (
        Case("", CASES["v8"].outputs, inputs=(("x", TensorProto.FLOAT, [1, 3, 64, 64]),
                                              ("y", TensorProto.FLOAT, [1]))),
        "input 'y'",
    ),
    "odd-output": (Case("", {"out": np.zeros((1, 2, 3, 4, 5), np.float32)}), "no known kind"),
    "odd-text": (Case("", {"out": np.zeros(3, np.float32)}), "no known kind"),
    "odd-task": (Case("", CASES["v8"].outputs, said={"task": "guess"}), "task 'guess'"),
}  # fmt: skip


@pytest.mark.parametrize(("case", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_told_is_asked_for_in_one_sentence(
    case: Case, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UnusableModelError, match=message) as refused:
        _open(tmp_path, case)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\x07" * 40])
def test_a_broken_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(content)
    with pytest.raises(UnusableModelError, match=r"^broken\.onnx cannot be read") as refused:
        OwnModel("mine/1", ModelFile(tmp_path / "broken.onnx"))
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_missing_provider(tmp_path: Path) -> None:
    with pytest.raises(UnusableModelError, match="There is no file"):
        OwnModel("mine/1", ModelFile(tmp_path / "none.onnx"))
    with pytest.raises(UnusableModelError, match=r"no provider 'Abacus'; it has .*CPU"):
        OwnModel("mine/1", ModelFile(mean_classifier(tmp_path / "m.onnx")), "Abacus")
