"""A folder of models: which ids its files answer to.

`helmets.onnx`, and `helmets/best.onnx` where it is the only one, are `helmets/1`; `helmets/2.onnx`
and `helmets/2/best.onnx` are `helmets/2`. An id is looked up among what is there and never made
into a path.
"""

from __future__ import annotations

from pathlib import Path

from inference_sdk.local.faults import UnusableModelError

FIRST_VERSION = "1"


def scan(folder: Path) -> dict[str, Path]:
    """Every model of a folder by its id.

    Raises:
        UnusableModelError: the folder is not there, or two files would have one id.
    """
    if not folder.is_dir():
        raise UnusableModelError(f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.onnx")):
        model_id = _model_id(path, folder)
        if model_id in found:
            raise UnusableModelError(
                f"{found[model_id]} and {path} would both be '{model_id}'. Rename one of them."
            )
        found[model_id] = path
    return found


def _model_id(path: Path, folder: Path) -> str:
    *parents, _ = path.relative_to(folder).parts
    if not parents:
        return f"{path.stem}/{FIRST_VERSION}"
    alone = sum(1 for _ in path.parent.glob("*.onnx")) == 1
    if len(parents) == 1:
        version = FIRST_VERSION if alone and not path.stem.isdigit() else path.stem
        return f"{parents[0]}/{version}"
    name = "/".join(parents)
    return name if alone else f"{name}-{path.stem}"
