"""Every public method of the client documents what it takes, gives and raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from inference_sdk import InferenceHTTPClient
from tests.client_surface import public_names

RAISE_NOTHING = {"aclose", "close", "forget_model", "stats", "timings"}
METHODS = sorted(
    name
    for name in public_names()
    if callable(getattr(InferenceHTTPClient, name)) and not name.endswith("_async")
)


def sections(text: str) -> dict[str, str]:
    """What stands under each of Google's headings."""
    parts = re.split(r"^(Args|Returns|Yields|Raises|Example):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def undocumented(name: str) -> Iterator[str]:
    method = getattr(InferenceHTTPClient, name)
    said = sections(inspect.getdoc(method) or "")
    signature = inspect.signature(method)
    for parameter in signature.parameters:
        if parameter != "self" and not re.search(
            rf"^    {parameter}: \S", said.get("Args", ""), re.MULTILINE
        ):
            yield f"argument {parameter}"
    gives = signature.return_annotation not in ("None", None)
    if gives and not (said.get("Returns") or said.get("Yields") or "").strip():
        yield "result"
    if name not in RAISE_NOTHING and not re.search(
        r"^    \w+: \S", said.get("Raises", ""), re.MULTILINE
    ):
        yield "errors"


@pytest.mark.parametrize("name", METHODS)
def test_arguments_result_and_errors_are_documented(name: str) -> None:
    assert list(undocumented(name)) == []


@pytest.mark.parametrize("name", METHODS)
def test_only_arguments_that_there_are_are_documented(name: str) -> None:
    method = getattr(InferenceHTTPClient, name)
    told = re.findall(r"^    (\w+):", sections(method.__doc__).get("Args", ""), re.MULTILINE)
    assert set(told) <= set(inspect.signature(method).parameters)


def test_a_gap_would_be_found() -> None:
    assert sections("Do.\n\nArgs:\n    one: it.\n\nRaises:\n    E: why.\n") == {
        "Args": "    one: it.\n\n",
        "Raises": "    E: why.\n",
    }
    assert len(METHODS) > 50
