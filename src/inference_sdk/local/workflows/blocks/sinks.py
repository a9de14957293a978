"""What leaves a workflow: files and webhooks. Both are off unless the server's owner allows them,
and a failure of theirs is an output, never an error of the run.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Flag, Outputs, Text, Whole, refers, takes
from inference_sdk.local.workflows.blocks.formatters import Anything, Operations, with_operations
from inference_sdk.local.workflows.webhooks import as_texts
from inference_sdk.local.workflows.wire import to_wire

MAX_WAITING = 256
"""Webhooks that nobody waits for; beyond them one is refused, so that memory does not grow."""


class _Log:
    """The file that is appended to, and how many entries it has."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.entries = 0


class LocalFileSink(Block):
    """Writes text to a file, one each or appended, within the folder that the server allows."""

    TYPES = ("roboflow_core/local_file_sink@v1",)
    OUTPUTS = {"error_status": (k.BOOLEAN,), "message": (k.STRING,)}

    content: Annotated[str, refers(k.STRING)]
    file_type: Literal["csv", "json", "txt"] = "csv"
    output_mode: Literal["append_log", "separate_files"]
    target_directory: Text
    file_name_prefix: Text = "workflow_output"
    max_entries_per_file: Annotated[int, Field(gt=0), takes(k.STRING)] = 1024

    def run(self) -> Outputs:
        try:
            folder = self._folder()
            folder.mkdir(parents=True, exist_ok=True)
            self._write(folder)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            return {"error_status": True, "message": f"The file was not written: {said}"}
        return {"error_status": False, "message": "Data saved successfully"}

    def _folder(self) -> Path:
        """Where files go; symbolic links that lead out of the allowed folder are followed first."""
        allowed = self.services.sinks_directory
        if allowed is None:
            raise ValueError(
                "this server allows no files. Start it with WorkflowSettings(sinks=folder)."
            )
        root = Path(allowed).resolve()
        folder = (root / self.target_directory).resolve()
        if not folder.is_relative_to(root):
            raise ValueError("target_directory leads out of the folder that this server allows.")
        if "/" in self.file_name_prefix or "\\" in self.file_name_prefix:
            raise ValueError("file_name_prefix is a name without slashes.")
        return folder

    def _write(self, folder: Path) -> None:
        if self.output_mode == "separate_files":
            self._new_path(folder).write_text(self._entry(), encoding="utf-8")
            return
        log = self.kept("log", _Log)
        if (
            log.path is None
            or log.path.parent != folder
            or log.entries >= self.max_entries_per_file
        ):
            log.path, log.entries = self._new_path(folder), 0
        text = self._entry()
        if self.file_type == "csv" and log.entries:
            text = "".join(text.splitlines(keepends=True)[1:])  # the header stands there already
        with log.path.open("a", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")
        log.entries += 1

    def _entry(self) -> str:
        if self.file_type != "json" or self.output_mode != "append_log":
            return self.content
        # One line an entry, so that a log can be read line by line.
        try:
            return json.dumps(json.loads(self.content))
        except ValueError:
            raise ValueError("the content is no JSON.") from None

    def _new_path(self, folder: Path) -> Path:
        stamp = datetime.now(timezone.utc).strftime("%Y_%m_%d_%H_%M_%S_%f")
        kind = (
            "jsonl"
            if self.file_type == "json" and self.output_mode == "append_log"
            else (self.file_type)
        )
        return folder / f"{self.file_name_prefix}_{stamp}.{kind}"


SENT = (
    k.BOOLEAN,
    k.FLOAT,
    k.FRACTION,
    k.INTEGER,
    k.API_KEY,
    k.MODEL_ID,
    k.PROJECT,
    k.STRING,
    k.TOP_CLASS,
)
"""Kinds of what a query or a header may hold."""

# --- Webhooks -----------------------------------------------------------------------------------


@cache
def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, thread_name_prefix="workflow-webhook")


_WAITING: deque[Any] = deque()


class WebhookSink(Block):
    """Sends an HTTP request with JSON, query, form or files."""

    TYPES = ("roboflow_core/webhook_sink@v1",)
    OUTPUTS = {
        "error_status": (k.BOOLEAN,),
        "throttling_status": (k.BOOLEAN,),
        "message": (k.STRING,),
    }
    WAITS = True

    url: Text
    method: Literal["GET", "POST", "PUT"]
    query_parameters: dict[str, Annotated[Any, takes(*SENT, k.LIST)]] = Field(default_factory=dict)
    headers: dict[str, Annotated[Any, takes(*SENT)]] = Field(default_factory=dict)
    json_payload: dict[str, Anything] = Field(default_factory=dict)
    json_payload_operations: Operations
    multi_part_encoded_files: dict[str, Anything] = Field(default_factory=dict)
    multi_part_encoded_files_operations: Operations
    form_data: dict[str, Anything] = Field(default_factory=dict)
    form_data_operations: Operations
    request_timeout: Whole = 2
    fire_and_forget: Flag = True
    disable_sink: Flag = False
    cooldown_seconds: Whole = 5

    def run(self) -> Outputs:
        if self.disable_sink:
            return _told("Sink was disabled by parameter `disable_sink`")
        if self.services.webhooks is None:
            return _told(
                "This server sends no webhooks. Start it with WorkflowSettings(webhooks=True).",
                failed=True,
            )
        last = self.kept("last", lambda: [-float("inf")])
        if time.monotonic() - last[0] < self.cooldown_seconds:
            return _told("Sink cooldown applies", throttled=True)
        last[0] = time.monotonic()
        parts = self._parts()
        return self._send_later(parts) if self.fire_and_forget else self._send(parts)

    def _parts(self) -> dict[str, Any]:
        form = to_wire(with_operations(self.form_data, self.form_data_operations))
        payload = to_wire(with_operations(self.json_payload, self.json_payload_operations))
        files = with_operations(
            self.multi_part_encoded_files, self.multi_part_encoded_files_operations
        )
        return {
            "params": to_wire(self.query_parameters),
            "headers": as_texts(self.headers),
            "json": payload or None,
            "data": form or None,
            "files": {name: _content(value) for name, value in files.items()} or None,
        }

    def _send(self, parts: Mapping[str, Any]) -> Outputs:
        send: Any = self.services.webhooks
        try:
            send(self.method, self.url, self.request_timeout, **parts)
        except ValueError as error:
            return _told(str(error), failed=True)
        return _told("Notification sent successfully")

    def _send_later(self, parts: Mapping[str, Any]) -> Outputs:
        while _WAITING and _WAITING[0].done():
            _WAITING.popleft()
        if len(_WAITING) >= MAX_WAITING:
            return _told(f"{MAX_WAITING} webhooks are on their way already.", failed=True)
        _WAITING.append(_senders().submit(self._send, parts))
        return _told("Notification sent in the background task")


def _content(value: Any) -> Any:
    return value if isinstance(value, (bytes, str)) else str(to_wire(value))


def _told(message: str, *, failed: bool = False, throttled: bool = False) -> Outputs:
    return {"error_status": failed, "throttling_status": throttled, "message": message}
