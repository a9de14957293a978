"""Errors as one line and a code."""

from __future__ import annotations

import pytest

from inference_sdk.cli.failures import (
    CommandError,
    ExitCode,
    exit_code_of,
    is_fault_of_server,
    one_line,
    require,
)
from inference_sdk.http.errors import (
    APIKeyNotProvided,
    EncodingError,
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    InvalidServerResponseError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (APIKeyNotProvided("no key"), ExitCode.USAGE),
        (HTTPServerConnectionError("refused"), ExitCode.FAILED),
        (HTTPCallErrorError("call", 500, None), ExitCode.FAILED),
        (InvalidServerResponseError("html"), ExitCode.FAILED),
        (HTTPClientError("no trust"), ExitCode.FAILED),
    ],
)
def test_every_error_has_its_code(error: HTTPClientError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HTTPServerConnectionError("refused"), True),
        (HTTPCallErrorError("call", 401, None), True),
        (HTTPCallErrorError("call", 400, None), False),
        (EncodingError("no image"), False),
    ],
)
def test_whose_fault(error: HTTPClientError, expected: bool) -> None:
    assert is_fault_of_server(error) is expected


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EncodingError("two\n  lines"), "two lines"),
        (EncodingError(), "EncodingError"),
        (
            HTTPCallErrorError("400 for url", 400, "No image."),
            "The server refused with status 400: No image.",
        ),
        (
            HTTPCallErrorError("500 for url", 500, "N/A"),
            "The server refused with status 500: 500 for url.",
        ),
        (OSError(28, "No space left", "a.jpg"), "a.jpg: No space left"),
        (OSError(98, "Address in use"), "Address in use"),
    ],
)
def test_an_error_is_one_line(error: Exception, text: str) -> None:
    assert one_line(error) == text


def test_a_refused_key_comes_with_its_remedy() -> None:
    text = one_line(HTTPCallErrorError("401 for url", 401, "Wrong key"))
    assert text.startswith("The server refused with status 401: Wrong key. Check the key: ")


def test_what_is_there_is_not_asked_for() -> None:
    require("json", "rich", extra="cli", purpose="This")


@pytest.mark.parametrize(
    ("modules", "text"),
    [
        (["json", "no_such_package"], "needs no_such_package, which is not installed"),
        (["no_a", "no_b"], "needs no_a and no_b, which are not installed"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(modules: list[str], text: str) -> None:
    with pytest.raises(CommandError, match=rf"This {text}: pip install 'inference-sdk\[viz\]'"):
        require(*modules, extra="viz", purpose="This")
