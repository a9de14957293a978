"""Every public method of the client, and public function beside it, documents what it takes, gives and raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inference_sdk import InferenceHTTPClient, batch, local, viz, webrtc
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


def undocumented(method: Callable[..., Any]) -> Iterator[str]:
    """Arguments and result that a docstring passes over."""
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


def says_errors(method: Callable[..., Any]) -> bool:
    said = sections(inspect.getdoc(method) or "")
    return bool(re.search(r"^    \w+: \S", said.get("Raises", ""), re.MULTILINE))


def public_functions() -> Iterator[Any]:
    """Functions, and methods of classes, that the other packages name as theirs."""
    for package in (batch, local, viz, webrtc):
        for name in package.__all__:
            member = getattr(package, name)
            if inspect.isfunction(member):
                yield pytest.param(member, id=f"{package.__name__}.{name}")
            elif inspect.isclass(member) and not issubclass(member, webrtc.StreamSource):
                for method in vars(member).values():
                    if inspect.isfunction(method) and not method.__name__.startswith("_"):
                        yield pytest.param(method, id=f"{name}.{method.__name__}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_arguments_and_result_of_the_other_packages_are_documented(
    function: Callable[..., Any],
) -> None:
    documented = inspect.getdoc(function) or ""
    if not documented.startswith("The async twin of"):
        assert list(undocumented(function)) == []
    assert documented


@pytest.mark.parametrize("name", METHODS)
def test_arguments_result_and_errors_are_documented(name: str) -> None:
    method = getattr(InferenceHTTPClient, name)
    assert list(undocumented(method)) == []
    assert says_errors(method) or name in RAISE_NOTHING


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
