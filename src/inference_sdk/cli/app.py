"""The commands, their options and their help; what they do is in modules of their own.

Those are imported by the command that is called, so that `--help` and `--version` are quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from inference_sdk.cli.failures import (
    DEBUG_VARIABLE,
    CommandError,
    ExitCode,
    exit_code_of,
    one_line,
)
from inference_sdk.cli.terminal import console, say, tolerate
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.version import __version__

NAME = "inference-sdk"

# click's classes, which typer carries under changing names; this one it has always exported.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_MAY_BE_EMPTY = frozenset({"--api-key", "--api-url"})

OWN_MODELS = "Models of your own"
"""Heading of the options of `serve` that are about them."""

Action = Callable[[], ExitCode]
"""What a command line means, ready to be carried out."""

app = typer.Typer(
    name=NAME,
    help="Run vision models on pictures and live video: on a server, or right here.",
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables: the key is one
    context_settings={"help_option_names": ["-h", "--help"]},
)

ApiUrl = Annotated[
    Optional[str],
    typer.Option(
        "--api-url",
        envvar="INFERENCE_API_URL",
        help="Address of the inference server. Without one, the embedded server answers.",
        show_default=False,
    ),
]
ApiKey = Annotated[
    Optional[str],
    typer.Option(
        "--api-key",
        help="Key of the server. Better in the environment, as ROBOFLOW_API_KEY: what stands on "
        "the command line is for all users of the machine to see.",
        show_default=False,
    ),
]


def run(arguments: Sequence[str]) -> int:
    """Run a command line to its exit code. Errors are one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        tolerate(stream)
    try:
        return _dispatch(arguments)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Python flushes standard output once more at its end, and would complain.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED


def _dispatch(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    try:
        _refuse_empty(arguments)
        # Typer only reads the command line; what runs is ours, with its errors and signals.
        action = command.main(list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
        return action() if callable(action) else int(action or ExitCode.OK)
    except _UsageError as error:
        return _fail(_usage_message(error), ExitCode.USAGE)
    except CommandError as error:
        _show_traceback_if_wanted()
        return _fail(one_line(error), error.code)
    except HTTPClientError as error:
        _show_traceback_if_wanted()
        return _fail(one_line(error), exit_code_of(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        _show_traceback_if_wanted()
        return _fail(one_line(error), ExitCode.FAILED)


def _refuse_empty(arguments: Sequence[str]) -> None:
    """An empty text is a variable that was not set: it is no folder, file or model.

    Raises:
        CommandError: there is one, other than for what a server may do without.
    """
    for before, argument in zip(("", *arguments), arguments, strict=False):
        if argument == "" and before not in _MAY_BE_EMPTY:
            what = f"the value of {before}" if before.startswith("-") else "an argument"
            raise CommandError(f"{what} is empty. Is a variable of the shell not set?")


def _usage_message(error: Exception) -> str:
    message: str = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    return f"{message.rstrip('.')}. See {context.command_path if context else NAME} --help."


def _show_traceback_if_wanted() -> None:
    if os.environ.get(DEBUG_VARIABLE):
        import traceback

        traceback.print_exc()


def _fail(message: str, code: ExitCode) -> ExitCode:
    say(_stderr(), f"{NAME}: {message}")
    return code


def _stderr() -> Console:
    return console(stderr=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def options_of_all(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the command line itself."""


def _parse_confidence(text: str) -> str:
    if text in ("best", "default"):
        return text
    try:
        inside = 0 <= float(text) <= 1
    except ValueError:
        inside = False
    if not inside:
        raise typer.BadParameter(f"{text!r} is neither a number of 0 to 1, nor best or default.")
    return text


def _parse_concurrency(text: str) -> str:
    if text != "auto" and not (text.isdecimal() and int(text) > 0):
        raise typer.BadParameter(f"{text!r} is neither a number from 1 on, nor auto.")
    return text


@app.command("infer")
def infer_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Files, folders, URLs; - reads their names from standard input, one a line.",
            show_default=False,
        ),
    ],
    model_id: Annotated[
        str, typer.Option("--model-id", "-m", help="The model, such as coco/3 or yolov8n-640.")
    ] = "coco/3",
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    confidence: Annotated[
        Optional[str],
        typer.Option(
            "--confidence",
            "-c",
            parser=_parse_confidence,
            metavar="0..1",
            help="Leave out what is less sure. Also: best, default, as the server knows them.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Optional[Path],
        typer.Option(
            "--save",
            "-o",
            metavar="PATH",
            help="Write the picture with what was found drawn on it: a file for one image, a "
            "folder for several.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write a JSON object a line for each image, no table.")
    ] = False,
    concurrency: Annotated[
        str,
        typer.Option(
            "--concurrency",
            parser=_parse_concurrency,
            metavar="N|auto",
            help="Images under way at once; auto finds out how many pay.",
        ),
    ] = "4",
) -> Action:
    """Find what is in pictures.

    Exit codes: 0 all done, 1 some images failed, 2 wrong usage, 3 server out of reach, 130 Ctrl+C.
    """
    from inference_sdk.cli.infer import InferOptions, infer

    words = ("best", "default", None)
    options = InferOptions(
        images=images,
        model_id=model_id,
        api_url=api_url,
        api_key=api_key,
        confidence=confidence if confidence in words else float(confidence or 0),
        save=save,
        json=json,
        concurrency=concurrency if concurrency == "auto" else int(concurrency),
    )
    return partial(infer, options, _stderr())


@app.command("batch")
def batch_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Folders (with those in them), files, wildcards, manifests, videos, zip, tar; "
            "s3://, gs://, http:// and the like.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="PATH",
            help="The target; its ending chooses the form: .jsonl, .csv, .parquet, .json (COCO).",
            show_default=False,
        ),
    ],
    model_id: Annotated[
        Optional[str],
        typer.Option("--model-id", "-m", help="The model, such as coco/3.", show_default=False),
    ] = None,
    workflow: Annotated[
        Optional[str],
        typer.Option(
            "--workflow",
            "-w",
            help="A workflow: the JSON file of its specification, or workspace/id.",
            show_default=False,
        ),
    ] = None,
    call: Annotated[
        Optional[str],
        typer.Option(help="A call of the client for images: ocr_image, …", show_default=False),
    ] = None,
    form: Annotated[
        Optional[str],
        typer.Option(
            "--format",
            help="jsonl, csv, parquet, coco, yolo or voc, whatever the ending.",
            show_default=False,
        ),
    ] = None,
    api_url: Annotated[
        Optional[list[str]],
        typer.Option(
            "--api-url",
            envvar="INFERENCE_API_URL",
            help="Address of the server; several times for several servers. Without one, the "
            "embedded server answers.",
            show_default=False,
        ),
    ] = None,
    api_key: ApiKey = None,
    confidence: Annotated[
        Optional[str],
        typer.Option(
            "--confidence",
            "-c",
            parser=_parse_confidence,
            metavar="0..1",
            help="Leave out what is less sure.",
            show_default=False,
        ),
    ] = None,
    concurrency: Annotated[
        str,
        typer.Option(
            "--concurrency",
            parser=_parse_concurrency,
            metavar="N|auto",
            help="Pictures under way at once; auto finds out how many pay.",
        ),
    ] = "auto",
    save: Annotated[
        Optional[Path],
        typer.Option("--save", "-o", help="A folder for annotated pictures.", show_default=False),
    ] = None,
    crops: Annotated[
        Optional[Path],
        typer.Option("--crops", help="A folder for crops of what was found.", show_default=False),
    ] = None,
    column: Annotated[
        Optional[str],
        typer.Option(
            "--column", help="Of a manifest: the one with the pictures.", show_default=False
        ),
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Of a video: each n-th frame.")] = 1,
    fps: Annotated[
        Optional[float],
        typer.Option("--fps", help="Of a video: frames a second.", show_default=False),
    ] = None,
    ordered: Annotated[
        bool,
        typer.Option("--ordered/--unordered", help="Write answers in the order of the source."),
    ] = True,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop what there is of this job, and begin again.")
    ] = False,
    proceed: Annotated[
        bool,
        typer.Option("--continue", help="Keep what is there though source or model have changed."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again for what failed.")
    ] = False,
    max_failures: Annotated[
        Optional[int],
        typer.Option("--max-failures", min=0, help="End above so many.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write the summary as JSON.")] = False,
) -> Action:
    """Run all pictures of a folder, bucket, table or video archive, and keep every answer, once.

    Whatever ends it, the same command goes on. Exit codes: 0 all, 1 some failed, 2 wrong usage or a
    target that is not this job's, 3 server out of reach, 130 stopped (the same command goes on).

    Example: inference-sdk batch photos --out results.jsonl -m coco/3
    """
    from inference_sdk.cli.batch import BatchOptions, batch

    options = BatchOptions(
        sources=sources,
        out=out,
        job={
            "model_id": model_id,
            "workflow": workflow,
            "call": call,
            "form": form,
            "save": save,
            "crops": crops,
            "column": column,
            "every": every,
            "fps": fps,
            "ordered": ordered,
            "restart": restart,
            "proceed": proceed,
            "retry_failed": retry_failed,
            "max_failures": max_failures,
        },
        api_url=api_url or (),
        api_key=api_key,
        confidence=confidence
        if confidence in ("best", "default", None)
        else float(confidence or 0),
        concurrency=concurrency if concurrency == "auto" else int(concurrency),
        json=json,
    )
    return partial(batch, options, _stderr())


@app.command("serve")
def serve_command(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Whoever can reach it can use the server."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 9001,
    api_key: Annotated[
        Optional[str],
        typer.Option("--api-key", help="Answer only those who send it.", show_default=False),
    ] = None,
    model: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="ID=FILE",
            help="Serve an ONNX file under an id, as in my-project/1=best.onnx. Once for each.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    models: Annotated[
        Optional[str],
        typer.Option(
            metavar="DIR",
            help="Serve each ONNX file of a folder; those that come later, too.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    task: Annotated[
        Optional[list[str]],
        typer.Option(
            help="What they do: detect, segment, pose, classify, multi-label, obb or semantic. "
            "This and what follows: for one of several models, ID=VALUE.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    labels: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Names of the classes: a text file with one on each line, or a,b,c.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    keypoints: Annotated[
        Optional[list[str]],
        typer.Option(help="Names of the keypoints: a,b,c.", rich_help_panel=OWN_MODELS),
    ] = None,
    size: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Size of the input, where the file takes any: 640, or 640x480.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    fit: Annotated[
        Optional[list[str]],
        typer.Option(
            help="How pictures are fitted in: letterbox, stretch or crop.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    values: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Range of the input: 0-1, 0-255, -1-1 or imagenet.", rich_help_panel=OWN_MODELS
        ),
    ] = None,
    provider: Annotated[
        Optional[str],
        typer.Option(
            help="What runs them: CPU, CUDA, TensorRT, CoreML, OpenVINO, as installed.",
            rich_help_panel=OWN_MODELS,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Answer 404 for coco/3, yolov8n-640 and such: they are not here."
        ),
    ] = False,
    preload: Annotated[
        bool, typer.Option("--preload", help="Load the packaged models in the background.")
    ] = False,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Requests under way or waiting; beyond, it answers 503.")
    ] = 128,
    drain_timeout: Annotated[
        float, typer.Option(min=0, help="Seconds that those under way may take at the end.")
    ] = 30.0,
    allow_url_input: Annotated[
        bool,
        typer.Option(
            "--allow-url-input", help="Fetch images by URL, from the public internet only."
        ),
    ] = False,
    allow_file_input: Annotated[
        Optional[str],
        typer.Option(
            metavar="DIR",
            help="Read images that requests name below this folder.",
            show_default=False,
        ),
    ] = None,
    allow_origin: Annotated[
        list[str],
        typer.Option(
            metavar="ORIGIN", help="Let pages of this origin ask, or * (may be repeated)."
        ),
    ] = [],  # noqa: B006 - typer makes a list of its own
    allow_host: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Answer to this host name, too (may be repeated)."),
    ] = [],  # noqa: B006
    limit: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=N", help="Set a limit, such as pixels=80000000 (may be repeated)."
        ),
    ] = [],  # noqa: B006
    max_models: Annotated[
        Optional[int],
        typer.Option(
            min=1, help="Models loaded at a time; the least used gives way.", show_default=False
        ),
    ] = None,
    workflows: Annotated[
        Optional[str],
        typer.Option(
            metavar="DIR", help="Folder of JSON files, each a workflow known by its name."
        ),
    ] = None,
    blocks: Annotated[
        Optional[list[str]],
        typer.Option(metavar="FILE", help="Python file with blocks of your own for workflows."),
    ] = None,
    workflow_files: Annotated[
        Optional[str],
        typer.Option(metavar="DIR", help="Folder that workflows may write files into."),
    ] = None,
    workflow_webhooks: Annotated[
        bool, typer.Option("--workflow-webhooks", help="Let workflows send webhooks.")
    ] = False,
) -> Action:
    """Serve the embedded models and your own, until Ctrl+C.

    Programs and other machines then use it as any inference server.
    """
    from inference_sdk.cli.serve import LifeOptions, ModelOptions, serve
    from inference_sdk.local.workflows.settings import WorkflowSettings

    options = ModelOptions(
        models=model or (),
        folder=models,
        tasks=task or (),
        labels=labels or (),
        keypoints=keypoints or (),
        sizes=size or (),
        fits=fit or (),
        values=values or (),
        provider=provider,
        strict=strict,
        preload=preload,
        max_models=max_models,
    )
    known = WorkflowSettings(
        folder=workflows,
        blocks=blocks or (),
        sinks=workflow_files,
        webhooks=workflow_webhooks,
    )
    life = LifeOptions(
        max_queue, drain_timeout, allow_url_input, allow_file_input, allow_origin, allow_host, limit
    )
    return partial(serve, host, port, api_key, options, known, life, console())


@app.command("stream")
def stream_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A video file; the number of a camera; an rtsp, rtmp or http (MJPEG) address.",
            show_default=False,
        ),
    ],
    model_id: Annotated[
        Optional[str],
        typer.Option("--model-id", "-m", help="The model, such as coco/3.", show_default=False),
    ] = None,
    workflow: Annotated[
        Optional[str],
        typer.Option(
            "--workflow",
            "-w",
            metavar="FILE",
            help="A workflow: the JSON file of its specification, or its id with --workspace.",
            show_default=False,
        ),
    ] = None,
    workspace: Annotated[
        Optional[str],
        typer.Option(help="Workspace of a workflow that is named by its id.", show_default=False),
    ] = None,
    image_output: Annotated[
        Optional[str],
        typer.Option(
            help="Output of the workflow that is the picture; found by itself in most "
            "specifications.",
            show_default=False,
        ),
    ] = None,
    data_output: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Output of the workflow to write with --json; may be given several times. All "
            "of a specification that are no pictures, if not given.",
            show_default=False,
        ),
    ] = None,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    save: Annotated[
        Optional[Path],
        typer.Option(
            "--save",
            "-o",
            metavar="PATH",
            help="Record what comes back: .mp4, .mov or .mkv.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write a JSON object a line for each frame.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show it in a window (needs opencv-python).")
    ] = False,
) -> Action:
    """Send live video or a file through a model or a workflow.

    Of live video the newest frame counts; of a file every frame, in order. Ctrl+C ends it, and
    completes the recording.
    """
    from inference_sdk.cli.stream import StreamOptions, stream

    options = StreamOptions(
        source=source,
        model_id=model_id,
        workflow=workflow,
        workspace=workspace,
        image_output=image_output,
        data_outputs=data_output or (),
        api_url=api_url,
        api_key=api_key,
        save=save,
        json=json,
        show=show,
    )
    return partial(stream, options, _stderr())
