"""Carries out the cases with whichever `inference_sdk` is installed, and writes what came of each.

    python run.py SERVER_URL FOLDER_OF_PICTURES OUTPUT.jsonl

Knows nothing of other versions: runs in their virtual environments as well, so it uses nothing
beside numpy, Pillow and the package itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import dataclasses
import hashlib
import inspect
import io
import json
import os
import sys
import urllib.request
import warnings
from typing import Any

import numpy as np
from case import Case
from cases import every_case, every_program
from PIL import Image
from stage import Program, Stage

import inference_sdk.config
from inference_sdk import InferenceConfiguration, InferenceHTTPClient, VisualisationResponseFormat
from inference_sdk.http.utils import request_building


def main(server: str, folder: str, output: str) -> None:
    warnings.simplefilter("ignore")
    os.chdir(folder)
    run = Run(server, folder)
    with open(output, "w") as file:
        for case in every_case():
            for form in ("sync", "async"):
                found = run.carry_out(case, form)
                if found is not None:
                    file.write(json.dumps({"case": case.name, "form": form, **found}) + "\n")
        for name, program in every_program():
            found = run.play(program)
            if found is not None:
                file.write(json.dumps({"case": name, "form": "", **found}) + "\n")


class Run:
    def __init__(self, server: str, folder: str) -> None:
        self.server = server
        self.folder = folder
        pixels = np.zeros((48, 64, 3), np.uint8)
        pixels[:, :32] = (200, 100, 50)
        path = os.path.join(folder, "street")
        with open(f"{path}.jpg", "rb") as file:
            jpeg = base64.b64encode(file.read()).decode()
        with open(f"{path}16.png", "rb") as file:
            deep = base64.b64encode(file.read()).decode()
        self.values = {
            "$jpeg": f"{path}.jpg",
            "$png": f"{path}.png",
            "$wide": f"{path}-wide.png",
            "$array": pixels,
            "$grey": pixels[:, :, 0].copy(),
            "$pil": Image.fromarray(pixels[:, :, ::-1].copy()),
            "$url": f"{server}/street.jpg",
            "$clip": f"{path}.mp4",
            "$jpeg64": jpeg,
            "$png16": deep,
        }

    def carry_out(self, case: Case, form: str) -> dict[str, Any] | None:
        name = case.method if form == "sync" else f"{case.method}_async"
        if not _knows(case, name):
            return None
        self._ask("/_set", self._filled(case.answers))
        before = {key: os.environ.get(key) for key in case.environment}
        os.environ.update(case.environment)
        try:
            outcome = contextvars.copy_context().run(self._call, case, name)
        finally:
            for key, value in before.items():
                os.environ.pop(key) if value is None else os.environ.update({key: value})
        if outcome.pop("unknown", False):
            return None
        return {**outcome, "requests": [_request(r) for r in self._ask("/_take", None)]}

    def play(self, program: Program) -> dict[str, Any] | None:
        """What a program gives and sends; None where this version lacks what it needs."""
        self._ask("/_set", {})
        stage = Stage(
            self.server, self.folder, self.values, lambda answers: self._ask("/_set", answers)
        )
        try:
            outcome = {"result": _shown(contextvars.copy_context().run(program, stage))}
        except AttributeError:
            return None
        except Exception as error:
            outcome = {"error": _error(error)}
        return {**outcome, "requests": [_request(r) for r in self._ask("/_take", None)]}

    def _call(self, case: Case, name: str) -> dict[str, Any]:
        collector = _enter(case.context)
        outcome: dict[str, Any] = {}
        try:
            client = self._client(case)
            arguments = self._filled(case.arguments)
            result = getattr(client, name)(**arguments)
            if inspect.isawaitable(result):
                result = asyncio.run(_within(result))
            outcome["result"] = _shown(result)
            outcome["selected"] = client.selected_model
        except Exception as error:
            outcome["error"] = _error(error)
            outcome["unknown"] = "unexpected keyword argument" in str(error)
        if collector is not None:
            outcome["times"] = _times(collector)
        return outcome

    def _client(self, case: Case) -> InferenceHTTPClient:
        settings = dict(case.configuration)
        if "output_visualisation_format" in settings:
            settings["output_visualisation_format"] = VisualisationResponseFormat(
                settings["output_visualisation_format"]
            )
        client = InferenceHTTPClient(self.server, case.key)
        client.configure(InferenceConfiguration(**settings))
        if case.mode == "v0":
            client.select_api_v0()
        if case.model:
            client.select_model(case.model)
        return client

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.values.get(value, value)
        if isinstance(value, dict):
            return {key: self._filled(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._filled(entry) for entry in value]
        return value

    def _ask(self, path: str, content: Any) -> Any:
        body = json.dumps(content).encode()
        with urllib.request.urlopen(f"{self.server}{path}", data=body) as answer:
            return json.load(answer)


def _knows(case: Case, name: str) -> bool:
    """Whether this version has the call and the settings; of its arguments the call itself tells."""
    fields = {field.name for field in dataclasses.fields(InferenceConfiguration)}
    return (
        hasattr(InferenceHTTPClient, name)
        and set(case.configuration) <= fields
        and all(hasattr(inference_sdk.config, variable) for variable in case.context)
    )


async def _within(awaitable: Any) -> Any:
    return await awaitable


def _enter(context: dict[str, Any]) -> Any:
    collector = None
    for name, value in context.items():
        variable = getattr(inference_sdk.config, name)
        if name == "execution_id":
            request_building.ENABLE_INTERNAL_REMOTE_EXEC_HEADER = True
        if name == "remote_processing_times":
            value = collector = inference_sdk.config.RemoteProcessingTimeCollector()
        variable.set(value)
    return collector


def _times(collector: Any) -> Any:
    shown: dict[str, Any] = {"entries": sorted(map(list, collector.drain()))}
    for name in (
        "snapshot_model_ids",
        "snapshot_cold_start_entries",
        "snapshot_cold_start_count",
        "snapshot_cold_start_total_load_time",
    ):
        if hasattr(collector, name):
            value = getattr(collector, name)()
            shown[name] = value if isinstance(value, (int, float)) else sorted(map(str, value))
    return shown


def _request(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "body": _without_codec(request["body"])}


def _without_codec(value: Any) -> Any:
    """A picture by its format and size: encoders of the same picture differ in their bytes."""
    if isinstance(value, dict):
        return {key: _without_codec(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_codec(entry) for entry in value]
    if isinstance(value, str) and len(value) > 200:
        try:
            content = base64.b64decode(value)
            image = Image.open(io.BytesIO(content))
            corner = np.asarray(image.convert("RGB"))[:6, :6][-1, -1].astype(int) // 16
            return f"{image.format} {image.size} {corner.tolist()}"
        except (ValueError, OSError):
            return f"text {hashlib.sha1(value.encode()).hexdigest()[:12]}"
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _shown(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype} {value.reshape(-1)[:1].tolist()}"
    if isinstance(value, Image.Image):
        return f"image {value.size} {value.mode}"
    if isinstance(value, (str, int, float, bool, type(None))):
        return _without_codec(value)
    if hasattr(value, "to_dict"):
        return {type(value).__name__: _shown(value.to_dict())}
    return repr(value)


def _error(error: Exception) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": type(error).__name__,
        "bases": [kind.__name__ for kind in type(error).__mro__],
    }
    for name in ("status_code", "api_message"):
        if hasattr(error, name):
            shown[name] = getattr(error, name)
    return shown


if __name__ == "__main__":
    main(*sys.argv[1:])
