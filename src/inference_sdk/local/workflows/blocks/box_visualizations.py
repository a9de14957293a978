"""What marks boxes: outlines, circles, corners, dots, fills."""

from __future__ import annotations

from typing import Annotated, Any

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Fraction, Number, Whole, takes
from inference_sdk.local.workflows.drawing import ColouredDrawing, Position, position_of


class BoundingBoxVisualization(ColouredDrawing):
    """The outline of each box."""

    TYPES = ("roboflow_core/bounding_box_visualization@v1", "BoundingBoxVisualization")

    thickness: Whole = 2
    roundness: Annotated[float, takes(k.FRACTION)] = 0.0

    def annotator(self) -> Any:
        import supervision as sv

        if self.roundness == 0:
            return sv.BoxAnnotator(**self.colours(), thickness=self.thickness)
        return sv.RoundBoxAnnotator(
            **self.colours(), thickness=self.thickness, roundness=self.roundness
        )


class CircleVisualization(ColouredDrawing):
    """A circle round each box."""

    TYPES = ("roboflow_core/circle_visualization@v1", "CircleVisualization")

    thickness: Whole = 2

    def annotator(self) -> Any:
        import supervision as sv

        return sv.CircleAnnotator(**self.colours(), thickness=self.thickness)


class CornerVisualization(ColouredDrawing):
    """The corners of each box."""

    TYPES = ("roboflow_core/corner_visualization@v1", "CornerVisualization")

    thickness: Whole = 4
    corner_length: Whole = 15

    def annotator(self) -> Any:
        import supervision as sv

        return sv.BoxCornerAnnotator(
            **self.colours(), thickness=self.thickness, corner_length=self.corner_length
        )


class ColorVisualization(ColouredDrawing):
    """Each box filled."""

    TYPES = ("roboflow_core/color_visualization@v1", "ColorVisualization")

    opacity: Fraction = 0.5

    def annotator(self) -> Any:
        import supervision as sv

        return sv.ColorAnnotator(**self.colours(), opacity=self.opacity)


class DotVisualization(ColouredDrawing):
    """A dot at an anchor of each box."""

    TYPES = ("roboflow_core/dot_visualization@v1", "DotVisualization")

    position: Position = "CENTER"
    radius: Whole = 4
    outline_thickness: Whole = 0

    def annotator(self) -> Any:
        import supervision as sv

        return sv.DotAnnotator(
            **self.colours(),
            position=position_of(self.position),
            radius=self.radius,
            outline_thickness=self.outline_thickness,
        )


class TriangleVisualization(ColouredDrawing):
    """A triangle at an anchor of each box."""

    TYPES = ("roboflow_core/triangle_visualization@v1", "TriangleVisualization")

    position: Position = "TOP_CENTER"
    base: Whole = 10
    height: Whole = 10
    outline_thickness: Whole = 0

    def annotator(self) -> Any:
        import supervision as sv

        return sv.TriangleAnnotator(
            **self.colours(),
            position=position_of(self.position),
            base=self.base,
            height=self.height,
            outline_thickness=self.outline_thickness,
        )


class EllipseVisualization(ColouredDrawing):
    """An ellipse at the feet of each box."""

    TYPES = ("roboflow_core/ellipse_visualization@v1", "EllipseVisualization")

    thickness: Whole = 2
    start_angle: Whole = -45
    end_angle: Whole = 235

    def annotator(self) -> Any:
        import supervision as sv

        return sv.EllipseAnnotator(
            **self.colours(),
            thickness=self.thickness,
            start_angle=self.start_angle,
            end_angle=self.end_angle,
        )


class CropVisualization(ColouredDrawing):
    """Each box once more, enlarged, beside it."""

    TYPES = ("roboflow_core/crop_visualization@v1", "CropVisualization")

    position: Position = "TOP_CENTER"
    scale_factor: Number = 2.0
    border_thickness: Whole = 2

    def annotator(self) -> Any:
        import supervision as sv

        colours = self.colours()
        return sv.CropAnnotator(
            position=position_of(self.position),
            scale_factor=self.scale_factor,
            border_color=colours["color"],
            border_thickness=self.border_thickness,
            border_color_lookup=colours["color_lookup"],
        )
