"""Forms of targets, read back by other people's readers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference_sdk import batch
from tests.batch.marking import make_pictures

OUTLINE = [{"x": 1.0, "y": 1.0}, {"x": 7.0, "y": 1.0}, {"x": 7.0, "y": 5.0}]


def answer_of(image: Path) -> dict[str, Any]:
    """Boxes of two classes; the first picture also has an outline, the third nothing."""
    number = int(image.stem)
    box = {"x": 4.0, "y": 3.0, "width": 6.0, "height": 4.0, "confidence": 0.5, "class": "cat",
           "class_id": 3, "detection_id": "a"}  # fmt: skip
    dog = {**box, "x": 2.0, "width": 2.0, "class": 'dög, "big"', "class_id": 1}
    predictions = [[{**box, "points": OUTLINE}, dog], [box], []][number % 3]
    if number == 4:
        raise RuntimeError("not this one")
    return {"image": {"width": 8, "height": 6}, "predictions": predictions}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    make_pictures(tmp_path / "photos", 5)
    make_pictures(tmp_path / "photos" / "deeper", 2)
    return tmp_path / "photos"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write(photos: Path, name: str, **options: Any) -> Path:
    target = photos.parent / name
    summary = batch.run(photos, target, call=answer_of, **options)
    assert (summary.answered, summary.failed) == (6, 1)
    return target


def test_csv(photos: Path) -> None:
    with write(photos, "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows[:5]] == ["cat", 'dög, "big"', "cat", "", "cat"]
    assert rows[6]["error"] == "not this one"
    assert len({row["image"] for row in rows}) == 7
    assert (rows[0]["x"], rows[0]["image_width"]) == ("4.0", "8")


def test_parquet(photos: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    rows = pq.read_table(write(photos, "out.parquet")).to_pylist()
    assert len(rows) == 7
    assert [p["class"] for p in rows[0]["predictions"]] == ["cat", 'dög, "big"']
    assert rows[0]["predictions"][0]["points"] == OUTLINE
    assert rows[2]["predictions"] == []
    assert (rows[4]["predictions"], rows[4]["error_class"]) == (None, "RuntimeError")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_by_pycocotools(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    path = write(photos, "out.json")
    coco = tools.COCO(str(path))
    capsys.readouterr()
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ['dög, "big"', "cat"]
    assert len(coco.getImgIds()) == 6
    first, *_ = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert first["bbox"] == [1.0, 1.0, 6.0, 4.0]
    assert first["area"] == 12.0  # of the triangle, by hand
    assert coco.annToMask(first).sum() > 0
    assert [f["error"] for f in json.loads(path.read_text())["failures"]] == ["not this one"]


def test_yolo_by_supervision(photos: Path) -> None:
    from inference_sdk.viz.drawing import load_supervision

    folder = write(photos, "dataset", form="yolo")
    names = sorted(path.name for path in (folder / "images").iterdir())
    assert names == ["0000-2.png", "0000.png", "0001-2.png", "0001.png", "0002.png", "0003.png"]
    lines = (folder / "labels" / "0001.txt").read_text().split()
    assert list(map(float, lines)) == pytest.approx([1, 0.5, 0.5, 0.75, 4 / 6], abs=1e-6)
    pytest.importorskip("cv2")
    dataset = load_supervision().DetectionDataset.from_yolo(
        str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml")
    )
    assert dataset.classes == ['dög, "big"', "cat"]
    assert len(dataset) == 6
    original = np.asarray(Image.open(photos / "0000.png"))
    (folder / "images" / "0000.png").write_bytes(b"changed")
    assert (np.asarray(Image.open(photos / "0000.png")) == original).all()


def test_voc_by_supervision(photos: Path) -> None:
    from inference_sdk.viz.drawing import load_supervision

    folder = write(photos, "voc", form="voc")
    pytest.importorskip("cv2")
    dataset = load_supervision().DetectionDataset.from_pascal_voc(
        str(folder / "JPEGImages"), str(folder / "Annotations")
    )
    assert sorted(dataset.classes) == ["cat", 'dög, "big"']
    [annotations] = [a for path, _, a in dataset if path.endswith("0001.png")]
    assert annotations.xyxy.tolist() == [[1.0, 1.0, 7.0, 5.0]]


def test_pictures_beside(photos: Path, tmp_path: Path) -> None:
    write(photos, "out.jsonl", save=tmp_path / "drawn", crops=tmp_path / "crops")
    drawn = sorted(
        str(p.relative_to(tmp_path / "drawn")) for p in (tmp_path / "drawn").rglob("*.*")
    )
    assert drawn == ["0000.png", "0001.png", "0002.png", "0003.png", "deeper/0000.png",
                     "deeper/0001.png"]  # fmt: skip
    with Image.open(tmp_path / "crops" / "cat" / "0001-0.png") as crop:
        assert crop.size == (6, 4)
    assert (tmp_path / "crops" / "cat" / "deeper" / "0000-0.png").exists()


def test_a_finished_target_is_replaced_whole(photos: Path) -> None:
    folder = write(photos, "dataset", form="yolo")
    (folder / "mine.txt").write_text("")
    batch.run(photos, folder, call=answer_of, form="yolo")
    assert (folder / "mine.txt").exists()  # nothing to do, nothing touched
    batch.run(photos, folder, call=answer_of, form="yolo", restart=True)
    assert sorted(p.name for p in folder.iterdir()) == ["data.yaml", "images", "labels"]


def test_a_target_elsewhere(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = fsspec.filesystem("memory")
    store.mkdirs("/out", exist_ok=True)
    batch.run(photos, "memory://out/results.csv", call=answer_of)
    try:
        assert store.cat("/out/results.csv").count(b"\n") >= 8
        store.rm("/out/results.csv")
    finally:
        store.rm("/out", recursive=True)
    with pytest.raises(batch.TargetError, match="cannot be written"):
        batch.run(photos, "nosuchstore://out/results.csv", call=answer_of)


@pytest.mark.usefixtures("own_cache")
def test_what_stands_elsewhere_already_is_not_written_over(photos: Path, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "results.jsonl"
    there.parent.mkdir()
    there.write_text("somebody else's\n")
    with pytest.raises(batch.TargetError, match="not of a job"):
        batch.run(photos, there.as_uri(), call=answer_of)
    assert there.read_text() == "somebody else's\n"
    there.write_text("")
    batch.run(photos, there.as_uri(), call=answer_of)
    assert len(there.read_text().splitlines()) == 7


@pytest.mark.usefixtures("own_cache")
def test_a_folder_elsewhere_is_replaced_whole(photos: Path, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "set"
    there.parent.mkdir()
    batch.run(photos, there.as_uri(), form="yolo", call=answer_of)
    first = sorted(path.relative_to(there) for path in there.rglob("*"))
    (photos / "0003.png").unlink()
    batch.run(photos, there.as_uri(), form="yolo", call=answer_of, restart=True)
    second = sorted(path.relative_to(there) for path in there.rglob("*"))
    assert len(second) < len(first)
    assert set(second) < set(first)
