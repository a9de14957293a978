"""What a stream shall do: the settings a caller hands to `client.webrtc.stream`. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Union

from inference_sdk.http.errors import InvalidParameterError


@dataclass(frozen=True)
class ReconnectPolicy:
    """How often, and how soon, a lost live stream is started again.

    Attributes:
        max_attempts: starts in a row that may fail before the stream ends with the error;
            None tries for ever. A stream that ran again starts the count anew.
        initial_delay: seconds before the first new start; doubles with each further one.
        max_delay: seconds that the delay grows to at most.
        jitter: share of the delay that is left to chance, 0..1, so that many clients of one
            server do not all come back in the same moment.
    """

    max_attempts: Optional[int] = 5
    initial_delay: float = 0.5
    max_delay: float = 30.0
    jitter: float = 0.3

    def __post_init__(self) -> None:
        if self.initial_delay < 0 or self.max_delay < 0 or not 0 <= self.jitter <= 1:
            raise InvalidParameterError(
                "ReconnectPolicy: delays must not be negative, and jitter must be in 0..1."
            )

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds to wait before new start number `attempt` (from 1); `chance` is in 0..1.

        Args:
            attempt: number of the new start, from 1.
            chance: 0..1, by which starts of many clients are spread.

        Returns:
            Seconds.
        """
        # The exponent is capped: a float overflows after some 1,000 doublings.
        full = min(self.max_delay, self.initial_delay * 2.0 ** min(attempt - 1, 60))
        return full * (1 - self.jitter * chance)

    def allows(self, attempt: int) -> bool:
        """Whether to start anew once more.

        Args:
            attempt: number of the new start, from 1.

        Returns:
            False where `max_attempts` are used up.
        """
        return self.max_attempts is None or attempt <= self.max_attempts


class _Unset(list[str]):
    """The empty list of outputs that nobody chose; appending to it is choosing."""


def is_unset(outputs: list[str]) -> bool:
    """Whether a configuration leaves open which outputs are the video."""
    return isinstance(outputs, _Unset) and not outputs


@dataclass
class StreamConfig:
    """What comes back of a stream, and how the worker runs it.

    None, for any field, is as if it were not given. Credentials of TURN servers and parameters of
    the workflow do not show in the `repr`.

    Attributes:
        stream_output: names of workflow outputs to get as video; the first picture counts. Not
            given, and frames are wanted: the workflow's one picture; an error where its
            specification has several. `[]`: no video, data only.
        data_output: names of workflow outputs to get as data (`on_data`).
        realtime_processing: True: the newest frame wins, late ones are dropped. False: every
            frame is processed and delivered, and a slow reader slows the worker.
        declared_fps: frames per second, told to the worker.
        turn_server: {"urls", "username", "credential"} or {"iceServers": [...]}.
        workflow_parameters: further inputs of the workflow.
        requested_plan: size of the hosted worker, for example "webrtc-gpu-small".
        requested_region: where the hosted worker shall run, for example "eu".
        processing_timeout: seconds after which a hosted worker ends the stream.
        max_waiting_messages: messages that may wait for slow handlers of data; one more ends the
            stream with a `DataBacklogError`. None: `WEBRTC_DATA_MAX_WAITING_MESSAGES`, 100,000.
        max_waiting_bytes: bytes that they may have together. None:
            `WEBRTC_DATA_MAX_WAITING_BYTES`, 512 MiB.
        reconnect: starts a lost live stream again, with back-off; True takes the policy's
            defaults, None ends the stream with an error. Files are never started again, since
            a worker would begin at their first frame.
    """

    stream_output: list[str] = field(default_factory=_Unset)
    data_output: list[str] = field(default_factory=list)
    realtime_processing: bool = True
    declared_fps: Optional[float] = None
    turn_server: Optional[dict[str, Any]] = field(default=None, repr=False)
    workflow_parameters: dict[str, Any] = field(default_factory=dict, repr=False)
    requested_plan: Optional[str] = None
    requested_region: Optional[str] = None
    processing_timeout: Optional[int] = None
    reconnect: Union[ReconnectPolicy, bool, None] = None
    max_waiting_messages: Optional[int] = None
    max_waiting_bytes: Optional[int] = None

    def __post_init__(self) -> None:
        outputs: object = self.stream_output
        if outputs is None:
            self.stream_output = _Unset()
        self.data_output = self.data_output or []
        self.workflow_parameters = self.workflow_parameters or {}
        for name in ("max_waiting_messages", "max_waiting_bytes"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise InvalidParameterError(f"StreamConfig.{name} must be 1 or more, not {limit}.")

    @property
    def reconnect_policy(self) -> Optional[ReconnectPolicy]:
        """The policy that `reconnect` stands for."""
        if isinstance(self.reconnect, ReconnectPolicy):
            return self.reconnect
        return ReconnectPolicy() if self.reconnect else None
