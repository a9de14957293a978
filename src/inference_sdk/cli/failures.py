"""How a command ends when it does not end well: exit codes, and errors as one line each.

Knows nothing of what the commands do. Nothing here prints.
"""

from __future__ import annotations

from enum import IntEnum
from importlib.util import find_spec

from inference_sdk.http.errors import (
    APIKeyNotProvided,
    EncodingError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    InvalidInputFormatError,
    InvalidModelIdentifier,
    InvalidParameterError,
    ModelNotSelectedError,
    ModelTaskTypeNotSupportedError,
    WrongClientModeError,
)

DEBUG_VARIABLE = "INFERENCE_DEBUG"
"""Set to anything, errors come with their traceback."""


class ExitCode(IntEnum):
    """What a script can rely on."""

    OK = 0
    SOME_FAILED = 1
    """The run went through, and some inputs failed."""
    USAGE = 2
    """The command was not understood, or something it needs is not installed."""
    FAILED = 3
    """Nothing could be done: the server was out of reach, or refused."""
    INTERRUPTED = 130
    """Ctrl+C; 128 + SIGINT, as shells count."""
    PIPE_CLOSED = 141
    """Whoever read the output stopped reading; 128 + SIGPIPE."""


class CommandError(Exception):
    """The end of a command: one line for people, and a code for scripts."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


_CALLER_MISTAKES = (
    APIKeyNotProvided,
    EncodingError,
    InvalidInputFormatError,
    InvalidModelIdentifier,
    InvalidParameterError,
    ModelNotSelectedError,
    ModelTaskTypeNotSupportedError,
    WrongClientModeError,
)

_REMEDIES = {
    401: "Check the key: --api-key, or the environment variable ROBOFLOW_API_KEY.",
    403: "Check the key: --api-key, or the environment variable ROBOFLOW_API_KEY.",
    404: "Check the model id, and that --api-url is the address of an inference server.",
    429: "The server has too much to do: try again later, or lower --concurrency.",
}

_REFUSALS = frozenset({401, 402, 403, 404, 429, 503})
"""Statuses that are about the server or the key, and would come for any picture."""


def exit_code_of(error: HTTPClientError) -> ExitCode:
    """What an error that ended a whole run means for a script."""
    return ExitCode.USAGE if isinstance(error, _CALLER_MISTAKES) else ExitCode.FAILED


def is_fault_of_server(error: HTTPClientError) -> bool:
    """Whether another picture would fare no better."""
    if isinstance(error, HTTPCallErrorError):
        return error.status_code in _REFUSALS
    return isinstance(error, HTTPServerConnectionError)


def one_line(error: BaseException) -> str:
    """What an error says, with the remedy where there is one, on one line."""
    if isinstance(error, HTTPCallErrorError):
        said = (error.api_message or "").strip().rstrip(".")
        reason = said if said and said != "N/A" else error.description
        text = f"The server refused with status {error.status_code}: {reason}."
        text = f"{text} {_REMEDIES.get(error.status_code, '')}"
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error.args[0]) if error.args else type(error).__name__
    return " ".join(text.split())


def require(*modules: str, extra: str, purpose: str) -> None:
    """See that packages are there before the work begins, without importing them.

    Raises:
        CommandError: one is not; says what to install.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise CommandError(
            f"{purpose} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install 'inference-sdk[{extra}]'"
        )
