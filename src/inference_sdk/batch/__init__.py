"""Big jobs: all pictures of a folder, bucket, table or video archive through one call, once.

    >>> from inference_sdk import InferenceHTTPClient, batch
    >>> client = InferenceHTTPClient("http://localhost:9001", max_concurrent_requests="auto")
    >>> print(batch.run("photos/", "results.jsonl", client=client, model_id="coco/3"))

Answers are on disk as they come. Whatever ends the run, the same call goes on where it ended, and a
finished job asks nothing again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inference_sdk.batch.calls import Function, open_call
from inference_sdk.batch.errors import (
    BatchError,
    JobChangedError,
    ServerLostError,
    SourceError,
    TargetError,
    TooManyFailuresError,
)
from inference_sdk.batch.job import Job, Options
from inference_sdk.batch.sinks import Form, open_target
from inference_sdk.batch.sources import Reading, SourceLike, open_source
from inference_sdk.batch.summary import Progress, Summary

if TYPE_CHECKING:
    from inference_sdk.http.client import InferenceHTTPClient

__all__ = [
    "BatchError",
    "Form",
    "JobChangedError",
    "Progress",
    "ServerLostError",
    "SourceError",
    "Summary",
    "TargetError",
    "TooManyFailuresError",
    "run",
    "run_async",
]

OnChange = Literal["refuse", "restart", "continue"]


def run(
    source: SourceLike,
    sink: str | os.PathLike[str],
    *,
    client: InferenceHTTPClient | None = None,
    model_id: str | None = None,
    workflow: Mapping[str, Any] | str | Path | None = None,
    call: str | Function | None = None,
    parameters: Mapping[str, Any] | None = None,
    form: Form | None = None,
    save: str | os.PathLike[str] | None = None,
    crops: str | os.PathLike[str] | None = None,
    column: str | None = None,
    every: int = 1,
    fps: float | None = None,
    storage_options: dict[str, Any] | None = None,
    ordered: bool = True,
    restart: bool = False,
    proceed: bool = False,
    retry_failed: bool = False,
    max_failures: int | None = None,
    stop: Callable[[], bool] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Summary:
    """Ask for every picture of a source, and write every answer to a target, once.

    Beside the target is a folder `TARGET.journal`; with it, the same call goes on after any end.
    Each answer is a line of JSON: `{"image": path or URL, "result": …}`, or `{"image": …, "error":
    reason, "error_class": …}` for a picture that failed.

    Args:
        source: a picture, folder (with those in it), wildcards, manifest (text, CSV, JSON, JSON
            lines, Parquet), video, zip or tar; any of these by fsspec (`s3://…`, `gs://…`, `az://…`,
            `http://…`); a list of them; or an iterable of images, or of pairs (id, image).
        sink: the target; its ending chooses its form (`.jsonl`, `.csv`, `.parquet`, `.json` for
            COCO), if `form` does not. May be an address for fsspec.
        client: asks; how many at once is its `max_concurrent_requests`.
        model_id: ask a model, as `infer` does.
        workflow: or run a workflow: a specification, the JSON file of one, or `workspace/id`.
        call: or a call of the client that takes an image first, such as `"ocr_image"`; or a
            function of yours, sync or async, that does.
        parameters: of the workflow, or further arguments of the call.
        form: `jsonl`, `csv`, `parquet`, `coco`, `yolo` or `voc`; the latter two are folders.
        save: a folder for the pictures with what was found drawn on them.
        crops: a folder for the crops of what was found, by class.
        column: of a manifest, which holds paths, URLs or base64.
        every: of a video, each n-th frame.
        fps: of a video, frames a second, in place of `every`.
        storage_options: what fsspec needs (keys, endpoints); written nowhere.
        ordered: write answers in the order of the source; False writes them as they come.
        restart: drop what there is of this job, and begin again.
        proceed: keep the answers that are there though source, model or parameters have changed.
        retry_failed: ask again for what failed, and only for that and what is not there yet.
        max_failures: end with an error above so many failures, earlier runs' counted.
        stop: asked before each picture; true ends the run when what is under way is written.
        report: called after each picture with a `Progress`.

    Returns:
        What was done, what failed, and how long it took; see `Summary`.

    Raises:
        SourceError: the source is empty, unreadable, or not what it should be.
        TargetError: the target cannot be written, is another job's, or another run is at it.
        JobChangedError: it was begun with another source, model or parameters.
        ServerLostError: the server is out of reach, or refuses everything.
        TooManyFailuresError: see `max_failures`.
        BatchError: not exactly one of `model_id`, `workflow` and `call`.
    """
    arguments = locals()
    asked, job = _prepare(**arguments)
    if asked.awaited:
        return asyncio.run(_carry_out_async(asked, job, ordered))
    with job:
        answers: Any = asked.answers(job.pending(), ordered)
        with closing(answers):
            for item, answer in answers:
                job.take(item, answer)
        return job.finish()


async def run_async(
    source: SourceLike,
    sink: str | os.PathLike[str],
    *,
    client: InferenceHTTPClient | None = None,
    model_id: str | None = None,
    workflow: Mapping[str, Any] | str | Path | None = None,
    call: str | Function | None = None,
    parameters: Mapping[str, Any] | None = None,
    form: Form | None = None,
    save: str | os.PathLike[str] | None = None,
    crops: str | os.PathLike[str] | None = None,
    column: str | None = None,
    every: int = 1,
    fps: float | None = None,
    storage_options: dict[str, Any] | None = None,
    ordered: bool = True,
    restart: bool = False,
    proceed: bool = False,
    retry_failed: bool = False,
    max_failures: int | None = None,
    stop: Callable[[], bool] | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Summary:
    """The async twin of `run`; a function of yours that is not async runs in threads."""
    arguments = locals()
    asked, job = _prepare(**arguments)
    return await _carry_out_async(asked, job, ordered)


async def _carry_out_async(asked: Any, job: Job, ordered: bool) -> Summary:
    # What may take long on the disk, at the begin and the end, is done beside the loop.
    await asyncio.to_thread(job.open)
    with closing(job):
        async with aclosing(asked.answers_async(job.pending(), ordered)) as answers:
            async for item, answer in answers:
                job.take(item, answer)
        return await asyncio.to_thread(job.finish)


def _prepare(
    source: SourceLike,
    sink: str | os.PathLike[str],
    *,
    client: InferenceHTTPClient | None,
    model_id: str | None,
    workflow: Mapping[str, Any] | str | Path | None,
    call: str | Function | None,
    parameters: Mapping[str, Any] | None,
    form: Form | None,
    save: str | os.PathLike[str] | None,
    crops: str | os.PathLike[str] | None,
    column: str | None,
    every: int,
    fps: float | None,
    storage_options: dict[str, Any] | None,
    **options: Any,
) -> tuple[Any, Job]:
    asked = open_call(client, model_id, workflow, call, parameters)
    opened = open_source(source, Reading(column, every, fps, storage_options))
    target = open_target(sink, form, save, crops, storage_options)
    return asked, Job(opened, target, asked.description, Options(**options))
