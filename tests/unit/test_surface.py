"""The public surface: every documented name, parameter, default, and what importing it costs.

The files in `tests/data` are the contract's own. Where the newer one names what the older one
names too, the newer signature counts.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import json
import pydoc
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inference_sdk
from inference_sdk import InferenceHTTPClient
from inference_sdk.http.utils.aliases import resolve_ocr_path, resolve_roboflow_model_alias
from tests.client_surface import CALLS, SETTINGS, public_names

DATA = Path(__file__).parents[1] / "data"

SIGNATURE = re.compile(r"^(?P<marks>(?:@\w+ |async )*)(?P<rest>\(.*)$", re.DOTALL)

NOT_OURS = {"DataClassJsonMixin"}
"""Bases that the contract's server used; what they gave is tested by its own name."""

OPTIONS = [("options", inspect.Parameter.VAR_KEYWORD, inspect.Parameter.empty)]

OF_OTHERS = {"np": np, "socket": socket, "field": dataclasses.field}
"""What defaults in the surface files refer to beside names of their module."""


def load(name: str) -> dict[str, dict[str, Any]]:
    return json.loads((DATA / name).read_text())


def merged() -> dict[str, dict[str, Any]]:
    """Both surfaces as one: the newer signatures over the older ones."""
    surface = load("surface-1.1.json")
    for module, names in load("surface-newer.json").items():
        for name, described in names.items():
            older = surface.setdefault(module, {}).get(name)
            if isinstance(older, dict):
                described = {
                    part: {**older.get(part, {}), **described.get(part, {})}
                    if part != "bases"
                    else older["bases"]
                    for part in {*older, *described}
                }
            surface[module][name] = described
    return surface


SURFACE = merged()


def callables() -> Iterator[Any]:
    """(module, class or "", name, signature) of every function and method."""
    for module, names in SURFACE.items():
        for name, described in names.items():
            if isinstance(described, str):
                yield pytest.param(module, "", name, described, id=f"{module}.{name}")
                continue
            for method, signature in described.get("methods", {}).items():
                label = f"{module}.{name}.{method}"
                yield pytest.param(module, name, method, signature, id=label)


def classes() -> Iterator[Any]:
    for module, names in SURFACE.items():
        for name, described in names.items():
            if isinstance(described, dict):
                yield pytest.param(module, name, described, id=f"{module}.{name}")


def evaluate(text: ast.expr, module: str) -> Any:
    names = {**vars(importlib.import_module(module)), **OF_OTHERS}
    return eval(compile(ast.Expression(text), "<surface>", "eval"), names)


def documented_parameters(signature: str, module: str) -> list[tuple[str, Any, Any]]:
    """(name, kind, default) of each parameter, as the surface file has it."""
    rest = SIGNATURE.match(signature)["rest"]
    arguments = ast.parse(f"def f{rest}: ...").body[0].args
    kinds = inspect.Parameter
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = [None] * (len(positional) - len(arguments.defaults))
    parameters = [
        (argument.arg, kinds.POSITIONAL_OR_KEYWORD, default)
        for argument, default in zip(positional, [*missing, *arguments.defaults], strict=True)
    ]
    parameters += [
        (argument.arg, kinds.KEYWORD_ONLY, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append((arguments.kwarg.arg, kinds.VAR_KEYWORD, None))
    return [
        (name, kind, kinds.empty if default is None else evaluate(default, module))
        for name, kind, default in parameters
    ]


def real_parameters(function: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


def test_every_module_can_be_imported():
    for module in SURFACE:
        importlib.import_module(module)


@pytest.mark.parametrize(("module", "owner", "name", "signature"), list(callables()))
def test_a_function_has_the_documented_signature(module, owner, name, signature):
    marks = SIGNATURE.match(signature)["marks"]
    home = importlib.import_module(module)
    place = getattr(home, owner) if owner else home
    # A module may make a name on first use, so only classes are read statically.
    static = inspect.getattr_static(place, name) if owner else getattr(place, name)
    assert isinstance(static, property) == ("@property" in marks)
    assert isinstance(static, classmethod) == ("@classmethod" in marks)
    if isinstance(static, property):
        return
    function = static.__func__ if isinstance(static, classmethod) else getattr(place, name)
    documented = documented_parameters(signature, module)
    real = real_parameters(function)
    if real[len(documented) :] == OPTIONS:  # of a single call: more than the contract asks for
        real = real[: len(documented)]
    assert real == documented
    assert inspect.iscoroutinefunction(function) == ("async " in marks)
    if "@abstractmethod" in marks:
        assert name in place.__abstractmethods__


@pytest.mark.parametrize(("module", "name", "described"), list(classes()))
def test_a_class_has_the_documented_bases_and_fields(module, name, described):
    cls = getattr(importlib.import_module(module), name)
    assert set(described.get("bases", ())) - NOT_OURS <= {base.__name__ for base in cls.__mro__}
    fields = described.get("fields", {})
    if issubclass(cls, enum.Enum):
        expected = {member: ast.literal_eval(value) for member, value in fields.items()}
        assert {member.name: member.value for member in cls} == expected
    elif dataclasses.is_dataclass(cls):
        assert_fields(cls, fields, module)
    else:
        for field, value in fields.items():
            assert getattr(cls, field) == ast.literal_eval(value)


def assert_fields(cls: Any, documented: dict[str, str], module: str) -> None:
    """The documented fields, older ones first and in their order, with their defaults."""
    real = {field.name: field for field in dataclasses.fields(cls)}
    assert [name for name in real if name in documented] == list(documented)
    for name, text in documented.items():
        annotated = ast.parse(f"{name}: {text}").body[0]
        assert default_of(real[name]) == default_of_text(annotated.value, module), name


def default_of(field: Any) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def default_of_text(value: ast.expr | None, module: str) -> Any:
    if value is None:
        return dataclasses.MISSING
    default = evaluate(value, module)
    return default_of(default) if isinstance(default, dataclasses.Field) else default


def test_fields_that_the_sdk_never_had_come_after_those_it_had():
    """Positional arguments of existing users keep their meaning."""
    older = list(
        load("surface-1.1.json")["inference_sdk.http.entities"]["InferenceConfiguration"]["fields"]
    )
    real = [field.name for field in dataclasses.fields(inference_sdk.InferenceConfiguration)]
    assert real[: len(older)] == older


def test_every_alias_of_the_contract_resolves():
    aliases = load("aliases.json")
    for alias, model_id in aliases["models"].items():
        assert resolve_roboflow_model_alias(alias) == model_id
    for model, path in aliases["ocr"].items():
        assert resolve_ocr_path(model) == path


# -- the package's own namespace ---------------------------------------------------------------


def test_everything_exported_is_there_and_everything_else_is_not():
    assert dir(inference_sdk) == sorted(inference_sdk.__all__)
    for name in inference_sdk.__all__:
        assert getattr(inference_sdk, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Client'"):
        inference_sdk.Client  # noqa: B018


def test_static_tools_see_what_the_namespace_holds():
    """What is imported for type checkers is what is exported."""
    tree = ast.parse(inspect.getsource(inference_sdk))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [alias.name for node in guarded.body for alias in node.names]
    assert sorted([*seen, "__version__"]) == sorted(inference_sdk.__all__)


# -- calls, sync and async ---------------------------------------------------------------------


def test_settings_are_listed_rightly():
    assert public_names() >= SETTINGS


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_an_async_twin_with_the_same_parameters(name):
    call = getattr(InferenceHTTPClient, name)
    twin = getattr(InferenceHTTPClient, f"{name}_async")
    assert real_parameters(call) == real_parameters(twin)
    assert not inspect.iscoroutinefunction(call)
    assert inspect.iscoroutinefunction(twin) or inspect.isasyncgenfunction(twin)
    assert inspect.isgeneratorfunction(call) == inspect.isasyncgenfunction(twin)
    # Written out: help() shows it, and tools that read the source without running it.
    assert twin.__doc__.startswith(f"The async twin of `{name}`")


def test_every_async_call_has_a_sync_twin():
    twins = {name.removesuffix("_async") for name in public_names() if name.endswith("_async")}
    assert twins == set(CALLS)


@pytest.mark.parametrize("name", sorted(public_names()))
def test_help_shows_a_docstring_and_the_real_signature(name):
    member = inspect.getattr_static(InferenceHTTPClient, name)
    if isinstance(member, property):
        assert member.fget.__doc__
        return
    bound = getattr(InferenceHTTPClient("http://localhost:9001"), name)
    shown = pydoc.plain(pydoc.render_doc(bound))
    assert inspect.getdoc(bound)
    assert inspect.getdoc(bound).splitlines()[0] in shown
    [first, *_] = [*inspect.signature(bound).parameters, ""]
    assert first != "args"
    assert re.search(rf"{name}\((\*,)?{first}", "".join(shown.split()))


# -- what importing costs ----------------------------------------------------------------------

HEAVY = ("numpy", "PIL", "requests", "aiohttp", "cv2", "av", "aiortc", "supervision", "onnxruntime")

STATEMENTS = [
    "import inference_sdk",
    "from inference_sdk import InferenceHTTPClient",
    "from inference_sdk import *",
    "from inference_sdk import InferenceHTTPClient as C; C('http://localhost:9001')",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_importing_loads_nothing_heavy(statement):
    program = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    ).stdout
    loaded = json.loads(output)
    assert [module for module in HEAVY if module in loaded] == []


def test_importing_the_package_alone_loads_only_its_version():
    program = "import inference_sdk, sys; print(sorted(m for m in sys.modules if m.startswith('inference_sdk')))"
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    ).stdout
    assert ast.literal_eval(output) == ["inference_sdk", "inference_sdk.version"]
