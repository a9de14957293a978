"""The command `serve`: the embedded server in the foreground, until it is asked to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference_sdk.cli.failures import CommandError, ExitCode, one_line, require
from inference_sdk.cli.terminal import say

if TYPE_CHECKING:
    from rich.console import Console

    from inference_sdk.local import ModelStore

MODELS = ("coco/3", "coco-pose-detection/1", "coco-dataset-vdnr1/2")
"""Loaded before the first request, so that it is as fast as the second."""


def serve(host: str, port: int, api_key: str | None, console: Console) -> ExitCode:
    """Run the command; `console` is standard output.

    Raises:
        CommandError: the port is taken, or the extra `local` is missing.
    """
    require("onnxruntime", extra="local", purpose="The embedded server")
    from inference_sdk.local import ModelStore
    from inference_sdk.local import serve as serve_until_stopped

    store = ModelStore()
    try:
        serve_until_stopped(
            host,
            port,
            api_key=api_key,
            models=store,
            on_ready=lambda address: _announce(address, store, console),
        )
    except OSError as error:
        raise CommandError(one_line(error), ExitCode.FAILED) from error
    return ExitCode.OK


def _announce(address: str, store: ModelStore, console: Console) -> None:
    say(console, f"Serving at {address}")
    for model_id in MODELS:
        description = store.get(model_id).description
        say(console, f"  {model_id:22} {description['task_type']:22} {description['answered_by']}")
    say(console, "Stop with Ctrl+C.")
