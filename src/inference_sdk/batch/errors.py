"""What can be wrong with a big job, apart from single pictures; each is one sentence."""

from __future__ import annotations

from inference_sdk.http.errors import HTTPClientError


class BatchError(HTTPClientError):
    """Base of the errors that end a job. Answers written before are kept."""


class SourceError(BatchError):
    """The source is empty, cannot be read, or lacks what it should hold."""


class TargetError(BatchError):
    """The target cannot be written, is in use by another run, or is not this job's."""


class JobChangedError(TargetError):
    """The target was begun with another source, model or parameters."""


class TooManyFailuresError(BatchError):
    """More pictures failed than `max_failures` allows."""


class ServerLostError(BatchError):
    """The server is out of reach, or refuses every picture: the rest was not tried.

    The pictures it failed are not counted as failed; the next start tries them again.
    """
