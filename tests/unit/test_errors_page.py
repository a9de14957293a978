"""`docs/errors.md` names every error, and says rightly what the client does about it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import inference_sdk
from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import InferenceConfiguration
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPServerConnectionError,
    InvalidServerResponseError,
    RetryError,
    call_error,
)
from inference_sdk.http.operations.retries import Outcome, Retries, RetryBudget

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
ROWS = {
    name: [cell.strip() for cell in cells.split("|")]
    for name, cells in re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE, re.MULTILINE)
}


def all_of(kind: type[HTTPClientError]) -> Iterator[type[HTTPClientError]]:
    yield kind
    for further in kind.__subclasses__():
        yield from all_of(further)


@pytest.fixture(scope="module")
def errors() -> list[type[HTTPClientError]]:
    """Those of the whole package, wherever they are defined."""
    for module in pkgutil.walk_packages(inference_sdk.__path__, "inference_sdk."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = (kind for kind in all_of(HTTPClientError) if kind.__module__.startswith("inference_sdk"))
    return list(dict.fromkeys(ours))


def test_no_error_is_missing_and_none_is_invented(errors: list[type[HTTPClientError]]) -> None:
    attributes = {"request_id", "body", "may_have_arrived", "input_index", "status_code"}
    named = {kind.__name__ for kind in [*errors, RetryError]}
    assert named == set(ROWS) - {*attributes, "api_message"}


def is_tried_again(outcome: Outcome) -> bool:
    retries = Retries(InferenceConfiguration(), 3, RetryBudget(), lambda: 0.5)
    return retries.pause_after(outcome) is not None


def tried_again(kind: type[HTTPClientError]) -> set[str]:
    """What the column may say of it."""
    if issubclass(kind, HTTPCallErrorError):
        own = [s for s in range(400, 600) if type(call_error("", s, None)) is kind]
        again = [s for s in own if is_tried_again(Answer(s, "", "", {}, b""))]
        return {"no" if not again else "yes" if again == own else ", ".join(map(str, again))}
    if is_tried_again(kind("x")):
        return {"yes"}
    came = issubclass(kind, (HTTPServerConnectionError, InvalidServerResponseError))
    return {"no"} if came else {"no", "never sent"}


def test_what_is_tried_again(errors: list[type[HTTPClientError]]) -> None:
    for kind in errors:
        when, _, again = ROWS[kind.__name__]
        assert when, kind
        assert again in tried_again(kind), kind


def test_which_are_errors_of_python_too(errors: list[type[HTTPClientError]]) -> None:
    for kind in errors:
        when = ROWS[kind.__name__][0]
        assert issubclass(kind, TimeoutError) == ("`TimeoutError`" in when), kind
        if issubclass(kind, ConnectionError):
            assert issubclass(kind, HTTPServerConnectionError), kind
    assert "`ConnectionError`" in ROWS["HTTPServerConnectionError"][0]


def test_attributes_are_there(errors: list[type[HTTPClientError]]) -> None:
    listed = re.findall(r"^\| `(\w+)(?:`, `\w+)?` \| (all|`.*?`) \|", PAGE, re.MULTILINE)
    assert len(listed) == 7
    for attribute, owners in listed:
        for owner in re.findall(r"`(\w+)`", owners) or ["HTTPClientError"]:
            kind = next(kind for kind in errors if kind.__name__ == owner)
            assert hasattr(kind, attribute)
