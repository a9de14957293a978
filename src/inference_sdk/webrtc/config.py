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
        """Seconds to wait before new start number `attempt` (from 1); `chance` is in 0..1."""
        # The exponent is capped: a float overflows after some 1,000 doublings.
        full = min(self.max_delay, self.initial_delay * 2.0 ** min(attempt - 1, 60))
        return full * (1 - self.jitter * chance)

    def allows(self, attempt: int) -> bool:
        return self.max_attempts is None or attempt <= self.max_attempts


@dataclass
class StreamConfig:
    """What comes back of a stream, and how the worker runs it.

    Attributes:
        stream_output: names of workflow outputs to get as video; the first picture counts.
        data_output: names of workflow outputs to get as data (`on_data`).
        realtime_processing: True: the newest frame wins, late ones are dropped. False: every
            frame is processed and delivered, and a slow reader slows the worker.
        declared_fps: frames per second, told to the worker.
        turn_server: {"urls", "username", "credential"} or {"iceServers": [...]}.
        workflow_parameters: further inputs of the workflow.
        requested_plan: size of the hosted worker, for example "webrtc-gpu-small".
        requested_region: where the hosted worker shall run, for example "eu".
        processing_timeout: seconds after which a hosted worker ends the stream.
        reconnect: starts a lost live stream again, with back-off; True takes the policy's
            defaults, None ends the stream with an error. Files are never started again, since
            a worker would begin at their first frame.
    """

    stream_output: list[str] = field(default_factory=list)
    data_output: list[str] = field(default_factory=list)
    realtime_processing: bool = True
    declared_fps: Optional[float] = None
    turn_server: Optional[dict[str, Any]] = None
    workflow_parameters: dict[str, Any] = field(default_factory=dict)
    requested_plan: Optional[str] = None
    requested_region: Optional[str] = None
    processing_timeout: Optional[int] = None
    reconnect: Union[ReconnectPolicy, bool, None] = None

    @property
    def reconnect_policy(self) -> Optional[ReconnectPolicy]:
        """The policy that `reconnect` stands for."""
        if isinstance(self.reconnect, ReconnectPolicy):
            return self.reconnect
        return ReconnectPolicy() if self.reconnect else None
