"""What a stream comes from and goes through, as the command line names it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from inference_sdk.cli.failures import CommandError

if TYPE_CHECKING:
    from inference_sdk.webrtc import StreamSource

VIDEO_FILES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"})
"""Endings of an address that is a file to fetch, not a camera to watch."""


def open_source(name: str) -> StreamSource:
    """The source that a name means: a camera's number, an address, or a video file."""
    from inference_sdk import webrtc

    if name.isascii() and name.isdigit():
        return webrtc.WebcamSource(int(name))
    scheme = name.partition("://")[0].lower() if "://" in name else ""
    if scheme in ("rtsp", "rtsps"):
        return webrtc.RTSPSource(name)
    if scheme in ("rtmp", "rtmps"):
        return webrtc.LocalStreamSource(name)
    if scheme in ("http", "https") and not is_file_url(name):
        return webrtc.MJPEGSource(name)
    if scheme not in ("", "http", "https"):
        raise CommandError(
            f"SOURCE is no {scheme}:// address; it is a camera number, a video file, or an rtsp, "
            "rtmp or http address."
        )
    return webrtc.VideoFileSource(name)


def is_file_url(url: str) -> bool:
    return PurePosixPath(urlsplit(url).path).suffix.lower() in VIDEO_FILES


def read_workflow(name: str, workspace: str | None) -> str | dict[str, Any]:
    """A workflow's specification from a file, or its id when it is one of a workspace.

    Raises:
        CommandError: the file is not there, or no workflow.
    """
    if workspace:
        return name
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise CommandError(
            f"--workflow {name}: {error.strerror}. Name the file of a specification, or give "
            "--workspace for a workflow by its id."
        ) from error
    try:
        specification = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"--workflow {name} is not JSON: {error}.") from error
    # As the platform exports it, or the specification alone.
    if isinstance(specification, dict):
        specification = specification.get("specification", specification)
    if not isinstance(specification, dict) or not isinstance(specification.get("outputs"), list):
        raise CommandError(f"--workflow {name} is no workflow: it has no list of outputs.")
    return specification


def image_input(workflow: str | dict[str, Any]) -> str:
    """Name of the input that takes the frames."""
    inputs = workflow.get("inputs", []) if isinstance(workflow, dict) else []
    names = [entry.get("name") for entry in inputs if "Image" in str(entry.get("type"))]
    return str(names[0]) if names else "image"


def outputs(workflow: str | dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the outputs that are pictures, and of the others, as far as they can be told.

    A specification does not give the types of its outputs; that a picture comes from the image
    input, or from a property called image, is a guess that `--image-output` puts right.
    """
    if isinstance(workflow, str):
        return [], []
    pictures: list[str] = []
    data: list[str] = []
    frames = f"$inputs.{image_input(workflow)}"
    for output in workflow["outputs"]:
        selector = str(output.get("selector"))
        is_picture = selector == frames or selector.endswith("image")
        (pictures if is_picture else data).append(str(output.get("name")))
    return pictures, data
