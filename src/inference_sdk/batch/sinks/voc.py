"""Pascal VOC, as of http://host.robots.ox.ac.uk/pascal/VOC: an XML file a picture.

`JPEGImages/` has the pictures of this machine, `Annotations/` a file for each picture. Boxes are
whole pixels, counted from 1; the last ones are inside.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from inference_sdk.batch.log import Record
from inference_sdk.batch.sinks.dataset import pictures_of
from inference_sdk.batch.sinks.findings import Found, objects_of
from inference_sdk.batch.target import Records


class VocSink:
    """A folder."""

    is_folder = True

    def check(self) -> None:
        """Nothing is needed."""

    def write(self, records: Records, where: Path) -> None:
        images, annotations = where / "JPEGImages", where / "Annotations"
        images.mkdir()
        annotations.mkdir()
        for record, name, size in pictures_of(records, images):
            tree = ElementTree(_annotation(record, name, size))
            indent(tree)
            tree.write(annotations / f"{PurePosixPath(name).stem}.xml", encoding="utf-8")


def _annotation(record: Record, name: str, size: tuple[int, int]) -> Element:
    root = Element("annotation")
    _add(root, folder="JPEGImages", filename=name, path=f"JPEGImages/{name}")
    _add(SubElement(root, "size"), width=size[0], height=size[1], depth=3)
    _add(root, segmented=0)
    for found in objects_of(record):
        _object(root, found)
    return root


def _object(root: Element, found: Found) -> None:
    element = SubElement(root, "object")
    _add(element, name=_writable(found.name), pose="Unspecified", truncated=0, difficult=0)
    _add(
        SubElement(element, "bndbox"),
        xmin=round(found.left) + 1,
        ymin=round(found.top) + 1,
        xmax=round(found.left + found.width),
        ymax=round(found.top + found.height),
    )
    if found.confidence is not None:
        _add(element, confidence=found.confidence)


def _add(element: Element, **values: object) -> None:
    for name, value in values.items():
        SubElement(element, name).text = str(value)


def _writable(text: str) -> str:
    """A text without characters that XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c in "\t\n")
