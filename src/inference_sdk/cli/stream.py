"""The command `stream`: live video or a file through a model or workflow, and what comes back.

Everything it does goes through the public face of `inference_sdk.webrtc`.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference_sdk.cli.failures import CommandError, ExitCode, require
from inference_sdk.cli.interrupts import terminable
from inference_sdk.cli.preview import Preview
from inference_sdk.cli.recorder import Recorder, check_target, frame_rate
from inference_sdk.cli.reports import progress_console, write_json_line
from inference_sdk.cli.servers import server_address
from inference_sdk.cli.sources import image_input, open_source, outputs, read_workflow
from inference_sdk.cli.stream_status import status_line, summary
from inference_sdk.cli.terminal import say
from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.viz.findings import findings

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from inference_sdk.webrtc import StreamSource, WebRTCSession

    Frame = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class StreamOptions:
    """What the command line says; None leaves a setting to the client or the server."""

    source: str
    model_id: str | None = None
    workflow: str | None = None
    workspace: str | None = None
    image_output: str | None = None
    data_outputs: Sequence[str] = ()
    api_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    save: Path | None = None
    json: bool = False
    show: bool = False


def stream(options: StreamOptions, console: Console) -> ExitCode:
    """Run the command; `console` is standard error.

    Raises:
        CommandError: the command cannot be carried out as given.
        HTTPClientError: the stream could not start, or broke off.
    """
    _check(options)
    source = open_source(options.source)
    workflow = read_workflow(options.workflow, options.workspace) if options.workflow else None
    with ExitStack() as stack:
        sinks = _Sinks(options, stack, live=source.live)
        stack.enter_context(terminable())
        address = stack.enter_context(server_address(options.api_url))
        session = stack.enter_context(_open_session(options, address, source, workflow))
        sinks.connect(session)
        with status_line(session, sinks, progress_console(console, options.json)):
            session.run()
    say = _sayer(console)
    say(summary(session.stats()))
    return sinks.conclude(say)


def _check(options: StreamOptions) -> None:
    if (options.model_id is None) == (options.workflow is None):
        raise CommandError("stream takes either --model-id or --workflow. See stream --help.")
    require("aiortc", "av", extra="webrtc", purpose="stream")
    if options.save is not None:
        check_target(options.save, options.source)
    if options.model_id is not None and (options.save is not None or options.show):
        require("supervision", extra="viz", purpose="Drawing what a model finds")


def _open_session(
    options: StreamOptions,
    address: str,
    source: StreamSource,
    workflow: str | dict[str, Any] | None,
) -> WebRTCSession:
    from inference_sdk.http.client import InferenceHTTPClient
    from inference_sdk.webrtc import StreamConfig

    with InferenceHTTPClient(address, options.api_key) as client, warnings.catch_warnings():
        # It warns programs that the API may change; who types a command uses none.
        warnings.simplefilter("ignore", InferenceSDKDeprecationWarning)
        if workflow is None:
            model_id = str(options.model_id)
            task_type = _task_type(client, model_id)
            return client.webrtc.stream(source, model_id=model_id, task_type=task_type)
        pictures, data = outputs(workflow)
        chosen = [options.image_output] if options.image_output else pictures[:1]
        if not chosen and (options.save is not None or options.show):
            raise CommandError("Which output is the picture? Name it with --image-output.")
        return client.webrtc.stream(
            source,
            workflow=workflow,
            workspace=options.workspace,
            image_input=image_input(workflow),
            config=StreamConfig(
                stream_output=chosen, data_output=list(options.data_outputs) or data
            ),
        )


def _task_type(client: Any, model_id: str) -> str | None:
    """The model's task as the server tells it; the hosted ones do not, and the platform does."""
    from inference_sdk.http.entities import HTTPClientMode

    if client.client_mode is HTTPClientMode.V0:
        return None
    task_type: str = client.get_model_description(model_id).task_type
    return task_type


class _Sinks:
    """Where frames and data go: file, window, standard output; and what the worker complained of.

    A handler that raises would only be logged, so these note what went wrong and end the stream.
    """

    def __init__(self, options: StreamOptions, stack: ExitStack, *, live: bool) -> None:
        self.now_seen = ""
        self.complaints: Counter[str] = Counter()
        self._json = options.json
        self._draws = options.model_id is not None
        self._end: Callable[[], None] = lambda: None
        self._output_closed: BrokenPipeError | None = None
        self._preview = Preview() if options.show else None
        self._recorder: Recorder | None = None
        self._path = options.save
        if self._preview is not None:
            stack.callback(self._preview.close)
        if options.save is not None:
            # 30: of a file by address, whose rate is not known before it is fetched.
            fps = None if live else frame_rate(Path(options.source)) or Fraction(30)
            self._recorder = Recorder(options.save, fps)
            stack.callback(self._recorder.close)

    def connect(self, session: WebRTCSession) -> None:
        self._end = session.close
        session.on_frame(self._take_frame)
        session.on_error(self._take_errors)
        if self._json:
            session.on_data(self._take_data)

    def conclude(self, say: Callable[[str], None]) -> ExitCode:
        """Say what is left to be said, once the stream has ended."""
        if self._output_closed is not None:
            raise self._output_closed
        if self._recorder is not None and self._recorder.error:
            raise CommandError(self._recorder.error, ExitCode.SOME_FAILED)
        for complaint, times in self.complaints.items():
            say(f"{times} times: {complaint}")
        if self._recorder is not None:
            missing = self._recorder.dropped
            say(f"Saved {self._path}" + (f", without {missing} frames" if missing else ""))
        return ExitCode.SOME_FAILED if self.complaints else ExitCode.OK

    def _take_frame(self, frame: Frame, more: Any) -> None:
        if self._draws:
            predictions = more or {}
            self.now_seen = _seen(predictions)
            if self._recorder is not None or self._preview is not None:
                from inference_sdk.viz.drawing import annotate

                frame = annotate(frame, predictions)
        if self._recorder is not None and not self._recorder.put(frame):
            self._end()
        if self._preview is not None and not self._preview.show(frame):
            self._end()

    def _take_data(self, data: Any, metadata: Any) -> None:
        self._write({"frame": getattr(metadata, "frame_id", None), "data": data})

    def _take_errors(self, errors: list[str], metadata: Any) -> None:
        self.complaints.update(errors)
        if self._json:
            self._write({"frame": getattr(metadata, "frame_id", None), "errors": errors})

    def _write(self, line: dict[str, Any]) -> None:
        if self._output_closed is not None:
            return
        try:
            write_json_line(line)
        except BrokenPipeError as error:
            self._output_closed = error
            self._end()


def _seen(predictions: Any) -> str:
    """What a frame shows, counted, as in "2 person, 1 dog"."""
    names = Counter(finding.name for finding in findings(predictions))
    return ", ".join(f"{times} {name}" for name, times in names.most_common(5))


def _sayer(console: Console) -> Callable[[str], None]:
    return partial(say, console)
