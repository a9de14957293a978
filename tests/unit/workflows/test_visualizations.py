"""Blocks that draw: a few pixels of each, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference_sdk.local.workflows.errors import WorkflowError
from tests.workflows import Steps, box, found, picture, run, spec, step

SEGMENTS = "instance_segmentation_prediction"
BOXES = {"image": "$inputs.image", "predictions": "$inputs.det"}
RED, BLACK = [0, 0, 255], [0, 0, 0]
CUSTOM = {"color_palette": "CUSTOM", "custom_colors": ["#ff0000"]}
DET = found(box(50, 50, 40, 20))  # 30 to 70, 40 to 60
MASK = found(
    box(
        50,
        50,
        40,
        20,
        points=[{"x": x, "y": y} for x, y in ((30, 40), (70, 40), (70, 60), (30, 60))],
    )
)


def draw(kind: str, det: Any = DET, value: Any = 0, **fields: Any) -> np.ndarray:
    """Pixels after one block has drawn on a picture of one colour."""
    marks = Steps(f"{kind}@v1", kinds={"det": SEGMENTS} if det is MASK else {}, **BOXES, **fields)
    image = picture(value=value)
    drawn = marks(image=image, det=det)["image"].pixels
    assert (image.pixels == np.array(value, np.uint8)).all(), "the picture stays as it is"
    return drawn


@pytest.mark.parametrize(
    ("kind", "fields", "red", "black"),
    [
        (
            "bounding_box_visualization",
            {"thickness": 1},
            [(40, 50), (60, 50), (50, 30)],
            [(50, 50)],
        ),
        ("bounding_box_visualization", {"roundness": 0.5}, [(40, 50)], [(40, 30), (50, 50)]),
        ("circle_visualization", {}, [(50, 28)], [(50, 50), (40, 50)]),
        ("corner_visualization", {"corner_length": 5}, [(40, 32)], [(40, 50), (50, 50)]),
        ("color_visualization", {"opacity": 1}, [(50, 50)], [(30, 50)]),
        ("dot_visualization", {"radius": 3}, [(50, 50)], [(45, 50)]),
        ("triangle_visualization", {}, [(38, 50)], [(50, 50)]),
        ("ellipse_visualization", {}, [(60, 10)], [(50, 50)]),
    ],
)
def test_boxes_are_marked_in_their_colour(kind: str, fields: Any, red: Any, black: Any) -> None:
    drawn = draw(kind, **CUSTOM, **fields)
    assert [drawn[at].tolist() for at in red] == [RED] * len(red)
    assert [drawn[at].tolist() for at in black] == [BLACK] * len(black)


@pytest.mark.parametrize(
    ("kind", "fields", "red", "black"),
    [
        ("mask_visualization", {"opacity": 1}, [(50, 50)], [(30, 50)]),
        ("polygon_visualization", {"thickness": 1}, [(40, 50)], [(50, 50)]),
        ("color_visualization", {"opacity": 1}, [(50, 50)], [(30, 50)]),
    ],
)
def test_masks_are_marked_in_their_colour(kind: str, fields: Any, red: Any, black: Any) -> None:
    drawn = draw(kind, MASK, **CUSTOM, **fields)
    assert [drawn[at].tolist() for at in red] == [RED] * len(red)
    assert [drawn[at].tolist() for at in black] == [BLACK] * len(black)


def test_a_halo_is_round_a_mask_and_not_in_it() -> None:
    drawn = draw("halo_visualization", MASK, **CUSTOM, kernel_size=20)
    assert drawn[50, 50].tolist() == BLACK
    assert drawn[37, 50, 2] > 30


def test_palettes_give_classes_colours_of_their_own() -> None:
    two = found(box(20, 20, 10, 10, class_id=0), box(60, 60, 10, 10, class_id=1))
    for palette in ("DEFAULT", "ROBOFLOW", "Matplotlib Viridis", "Matplotlib Tab10"):
        drawn = draw("dot_visualization", two, color_palette=palette)
        assert drawn[20, 20].tolist() != drawn[60, 60].tolist() != BLACK, palette
    with pytest.raises(WorkflowError, match="CUSTOM needs custom_colors"):
        draw("dot_visualization", two, color_palette="CUSTOM")


def test_labels_say_what_they_are_told_to() -> None:
    widths = []
    for text in ("Index", "Class", "Class and Confidence", "Dimensions"):
        drawn = draw("label_visualization", text=text, text_scale=0.3, **CUSTOM)
        widths.append(int((drawn == RED).all(2).any(0).sum()))
    assert widths == sorted(set(widths)), "longer texts take more room"


def test_what_is_hidden() -> None:
    stripes = np.zeros((100, 100, 3), np.uint8)
    stripes[:, ::2] = 200
    for kind in ("blur_visualization", "pixelate_visualization"):
        hidden = Steps(f"{kind}@v1", **BOXES)(image=picture(pixels=stripes), det=DET)[
            "image"
        ].pixels
        assert np.ptp(hidden[45:55, 40:60].astype(int)) < 60, "nothing to recognise"
        assert np.ptp(hidden[10, :20].astype(int)) == 200, "elsewhere as it was"
    shown = draw(
        "background_color_visualization", value=(100, 100, 100), color="#ff0000", opacity=1
    )
    assert shown[50, 50].tolist() == [100, 100, 100]
    assert shown[10, 10].tolist() == RED


def test_crops_are_shown_enlarged() -> None:
    scene = np.zeros((100, 100, 3), np.uint8)
    scene[48:52, 48:52] = 255
    crops = Steps("crop_visualization@v1", **BOXES, position="TOP_CENTER")
    drawn = crops(image=picture(pixels=scene), det=found(box(50, 70, 10, 10), box(50, 50, 4, 4)))
    assert int((drawn["image"].pixels == 255).all(2).sum()) > 16


def test_two_models_compared() -> None:
    compare = Steps(
        "model_comparison_visualization@v1",
        image="$inputs.image",
        predictions_a="$inputs.a",
        predictions_b="$inputs.b",
        opacity=1.0,
    )
    a, b = found(box(30, 30, 20, 20)), found(box(40, 30, 20, 20))
    drawn = compare(image=picture(value=90), a=a, b=b)["image"].pixels
    assert drawn[30, 25].tolist() == [0, 128, 0]  # green: only a
    assert drawn[30, 45].tolist() == RED  # only b
    assert drawn[30, 35].tolist() == [90, 90, 90]  # both
    assert drawn[80, 80].tolist() == BLACK  # neither


# --- Over several frames ------------------------------------------------------------------------


def track(x: float, tracker_id: int = 1) -> dict[str, Any]:
    return found(box(x, 50, 10, 10, tracker_id=tracker_id))


def test_paths_of_tracks_grow_from_frame_to_frame() -> None:
    trace = Steps("trace_visualization@v1", **BOXES, **CUSTOM)
    lengths = [
        int((trace(image=picture(), det=track(x))["image"].pixels == RED).all(2).sum())
        for x in (20, 40, 60)
    ]
    assert lengths[0] < lengths[1] < lengths[2]
    with pytest.raises(WorkflowError, match="needs detections with a tracker_id"):
        trace(image=picture(), det=DET)


def test_heat_stays_where_detections_were() -> None:
    heat = Steps("heatmap_visualization@v1", **BOXES, radius=5, kernel_size=3, opacity=1)
    heat(image=picture(value=100), det=track(20))
    drawn = heat(image=picture(value=100), det=track(70))["image"].pixels
    assert drawn[55, 20].tolist() != [100, 100, 100]
    assert drawn[55, 70].tolist() != [100, 100, 100]
    assert drawn[10, 10].tolist() == [100, 100, 100]


# --- Zones, icons, grids, texts -----------------------------------------------------------------


def alone(kind: str, **fields: Any) -> np.ndarray:
    return Steps(f"{kind}@v1", image="$inputs.image", **fields)(image=picture())["image"].pixels


def test_zones_lines_and_paths() -> None:
    zone = alone(
        "polygon_zone_visualization",
        zone=[[10, 10], [50, 10], [50, 50], [10, 50]],
        color="#ffffff",
        opacity=0.5,
    )
    assert zone[30, 30].tolist() == [128, 128, 128]
    assert zone[70, 70].tolist() == BLACK
    path = alone("reference_path_visualization", reference_path=[[10, 20], [80, 20]], color="red")
    assert path[20, 40].tolist() == RED
    line = alone(
        "line_counter_visualization",
        zone=[[5, 80], [95, 80]],
        color="red",
        opacity=1.0,
        text_scale=0.3,
    )
    assert line[80, 80].tolist() == RED
    with pytest.raises(WorkflowError, match="A line has two points"):
        alone("line_counter_visualization", zone=[[5, 80], [95, 80], [1, 1]])


def test_icons_stand_at_a_place_or_at_detections() -> None:
    icon = picture(10, 10, (0, 0, 255))
    fields = {"image": "$inputs.image", "icon": "$inputs.icon", "icon_width": 10, "icon_height": 10}
    static = Steps("icon_visualization@v1", mode="static", x_position=-5, y_position=3, **fields)
    drawn = static(image=picture(), icon=icon)["image"].pixels
    assert drawn[3, 85].tolist() == drawn[12, 94].tolist() == RED
    assert drawn[3, 84].tolist() == drawn[13, 94].tolist() == BLACK
    dynamic = Steps("icon_visualization@v1", predictions="$inputs.det", position="CENTER", **fields)
    drawn = dynamic(image=picture(), icon=icon, det=DET)["image"].pixels
    assert np.argwhere((drawn == RED).all(2)).min(0).tolist() == [45, 45]
    with pytest.raises(WorkflowError, match="needs predictions, or the mode 'static'"):
        Steps("icon_visualization@v1", **fields)(image=picture(), icon=icon)


def test_pictures_in_a_grid() -> None:
    grid = Steps("grid_visualization@v1", images=["$inputs.a", "$inputs.b"], width=80, height=40)
    whole = grid(a=picture(20, 20, 255), b=picture(40, 20, (0, 0, 255)))["image"].pixels
    assert whole.shape == (40, 80, 3)
    assert whole[10, 20].tolist() == [255] * 3
    assert whole[10, 5].tolist() == BLACK  # beside the square one
    assert whole[10, 60].tolist() == RED
    assert whole[30, 20].tolist() == BLACK  # the second row is empty


def test_a_grid_of_one_reference_to_a_list() -> None:
    made = spec(
        step("buffer@v1", "kept", data="$inputs.image", length=2),
        step("grid_visualization@v1", images="$steps.kept.output", width=80, height=40),
        out="$steps.step.image",
    )
    first, second = run(made, image=[picture(20, 20, 255), picture(20, 20, 0)])
    assert [out["out"].pixels[20, 40].tolist() for out in (first, second)] == [[255] * 3, [0] * 3]
    assert second["out"].pixels[10, 60].tolist() == [255] * 3  # the older one comes second


def test_a_text_with_values() -> None:
    show = Steps(
        "text_display@v1",
        image="$inputs.image",
        text="{{ $parameters.n }}!",
        text_parameters={"n": "$inputs.n"},
        text_parameters_operations={"n": [{"type": "ToString"}]},
        background_color="#ff0000",
        font_scale=0.3,
        padding=2,
    )
    short, long = (show(image=picture(), n=n)["image"].pixels for n in (1, 12345))
    rooms = [int((pixels == RED).all(2).any(0).sum()) for pixels in (short, long)]
    assert 0 < rooms[0] < rooms[1]
    assert short[10, 10].tolist() == RED
    assert short[9, 9].tolist() == BLACK
    missing = Steps("text_display@v1", image="$inputs.image", text="{{ $parameters.n }}")
    with pytest.raises(WorkflowError, match="names the parameter 'n'; there are: none"):
        missing(image=picture())


def test_classes_of_the_picture() -> None:
    answer = {
        "image": {"width": 100, "height": 100},
        "predictions": [{"class": "cat", "class_id": 0, "confidence": 0.9}],
        "top": "cat",
        "confidence": 0.9,
    }
    inputs = (
        {"type": "WorkflowImage", "name": "image"},
        {"type": "WorkflowBatchInput", "name": "c", "kind": ["classification_prediction"]},
    )
    keep = step("first_non_empty_or_default@v1", "keep", data=["$inputs.c"])
    label = step(
        "classification_label_visualization@v1",
        "label",
        image="$inputs.image",
        predictions="$steps.keep.output",
        text_scale=0.3,
        text_padding=2,
        **CUSTOM,
    )
    (outputs,) = run(
        spec(keep, label, inputs=inputs, i="$steps.label.image"), image=picture(), c=answer
    )
    assert (outputs["i"].pixels == RED).all(2).sum() > 20


@pytest.mark.parametrize("kind", ["edge", "vertex", "vertex_label"])
def test_keypoints(kind: str) -> None:
    points = [
        {"x": x, "y": 50, "confidence": 1, "class": str(i), "class_id": i}
        for i, x in enumerate((20, 80))
    ]
    show = Steps(
        "keypoint_visualization@v1",
        kinds={"det": "keypoint_detection_prediction"},
        **BOXES,
        annotator_type=kind,
        color="#ff0000",
        edges=[[1, 2]],
    )
    drawn = show(image=picture(), det=found(box(50, 50, 80, 20, keypoints=points)))["image"].pixels
    assert drawn[50, 50].tolist() == (RED if kind == "edge" else BLACK)
    assert (drawn[40:60, 10:30] == RED).all(2).sum() > (15 if kind == "edge" else 100)


def test_a_drawing_without_a_copy_paints_on_the_source() -> None:
    dots = Steps("dot_visualization@v1", **BOXES, **CUSTOM, copy_image=False)
    image = picture()
    dots(image=image, det=DET)
    assert image.pixels[50, 50].tolist() == RED
