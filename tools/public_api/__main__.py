"""Compares the package with the baseline, by griffe, which reads sources and imports nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
BASELINE = HERE / "baseline.json"
ACCEPTED = HERE / "accepted.txt"

PACKAGE = "inference_sdk"

PUBLIC_MODULES = (
    "config",
    "http.client",
    "http.entities",
    "http.errors",
    "http.results",
    "http.utils.aliases",
    "http.utils.anomaly_maps",
    "http.utils.depth_maps",
    "http.utils.encoding",
    "http.utils.executors",
    "http.utils.iterables",
    "http.utils.loaders",
    "http.utils.post_processing",
    "http.utils.pre_processing",
    "http.utils.profilling",
    "http.utils.request_building",
    "http.utils.requests",
    "http.utils.url_utils",
    "local",
    "regions",
    "utils.decorators",
    "utils.environment",
    "utils.logging",
    "webrtc",
    "webrtc.client",
    "webrtc.config",
    "webrtc.datachannel",
    "webrtc.errors",
    "webrtc.model_workflows",
    "webrtc.session",
    "webrtc.sources",
    "webrtc.turn_probe",
)
"""What the contract and the documentation import from, beside the package itself."""

TOLD_ELSEWHERE = {
    griffe.BreakageKind.ATTRIBUTE_CHANGED_VALUE,  # values are tested; here only their text is known
    griffe.BreakageKind.RETURN_CHANGED_TYPE,  # a closer annotation breaks no program
}

HOW_TO_ACCEPT = f"""
This breaks programs that were written for the last release. Keep the old name or argument beside
the new one; where the break is meant, add the line to {ACCEPTED.relative_to(HERE.parents[1])}
and say it in CHANGELOG.md."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.public_api", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("check").set_defaults(run=check)
    baseline = commands.add_parser("baseline")
    baseline.add_argument("sources", nargs="?", type=Path, default=SOURCES)
    baseline.set_defaults(run=write_baseline)
    arguments = vars(parser.parse_args())
    return arguments.pop("run")(**arguments)


def check() -> int:
    """Print what differs from the baseline and is not accepted; lines that no longer hold, too."""
    found = set(breaks(_baseline(), _package(SOURCES)))
    accepted = {line for line in ACCEPTED.read_text().splitlines() if line and line[0] != "#"}
    for line in sorted(found - accepted):
        print(f"broken: {line}")
    for line in sorted(accepted - found):
        print(f"accepted, but not broken (any more): {line}")
    if found - accepted:
        print(HOW_TO_ACCEPT)
    return int(found != accepted)


def write_baseline(sources: Path) -> int:
    """Take these sources for those of the last release."""
    package = _package(sources)
    tree = _without_empty(json.loads(package.as_json(full=False)))
    BASELINE.write_text(json.dumps(tree, separators=(",", ":"), sort_keys=True) + "\n")
    return 0


def breaks(old: griffe.Module, new: griffe.Module) -> Iterator[str]:
    """One line for each change of a public name after which a program may fail.

    Both trees are changed: modules count as private, so that none is looked at as a member of its
    package, but only where it is listed.
    """
    for module in (*_modules(old), *_modules(new)):
        module.public = False
    yield from _module_breaks(old, new)
    for name in PUBLIC_MODULES:
        yield from _named_module_breaks(old, new, name)


def _named_module_breaks(old: griffe.Module, new: griffe.Module, name: str) -> Iterator[str]:
    try:
        before = old[name]
    except KeyError:
        return  # it is younger than the release
    try:
        now = new[name]
    except KeyError:
        yield f"{PACKAGE}.{name}: the module was removed"
        return
    yield from _module_breaks(before, now)


def _module_breaks(old: griffe.Module, new: griffe.Module) -> Iterator[str]:
    for breakage in griffe.find_breaking_changes(old, new):
        if breakage.kind not in TOLD_ELSEWHERE:
            yield _line(breakage)


def _line(breakage: griffe.Breakage) -> str:
    before, now = breakage.old_value, breakage.new_value
    what = f"{breakage.obj.path}: {breakage.kind.value}"
    parameter = before or now
    if not isinstance(parameter, griffe.Parameter):
        return what
    if breakage.kind is griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT:
        return f"{what}: {before.name}={before.default} -> {now.default}"
    return f"{what}: {parameter.name}"


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for inner in module.modules.values():
        yield from _modules(inner)


def _package(sources: Path) -> griffe.Module:
    package = griffe.load(PACKAGE, search_paths=[sources], allow_inspection=False)
    _reduce(package)
    return package


def _baseline() -> griffe.Module:
    loader = griffe.GriffeLoader()
    module = griffe.Module.from_json(BASELINE.read_text())
    loader.modules_collection[PACKAGE] = module
    for inner in _modules(module):
        inner._modules_collection = loader.modules_collection
    return module


def _reduce(owner: griffe.Module | griffe.Class) -> None:
    """Leave names, signatures and bases only: what a break is told by."""
    owner.docstring = None
    owner.imports = {name: path for name, path in owner.imports.items() if _is_own(path)}
    for name, member in list(owner.members.items()):
        if member.is_alias:
            if not _is_own(member.target_path):
                del owner.members[name]
            continue
        member.docstring = None
        if member.is_module or member.is_class:
            _reduce(member)
        elif name.startswith("_") and not name.startswith("__"):
            del owner.members[name]
        _REDUCED.get(member.kind, lambda _: None)(member)


def _is_own(path: str) -> bool:
    return path.startswith(f"{PACKAGE}.")


def _reduce_class(member: griffe.Class) -> None:
    member.bases = [base if isinstance(base, str) else base.canonical_path for base in member.bases]
    member.decorators = []


def _reduce_function(member: griffe.Function) -> None:
    member.returns, member.decorators = None, []
    for parameter in member.parameters:
        parameter.annotation = None
        parameter.default = parameter.default and str(parameter.default)


def _reduce_attribute(member: griffe.Attribute) -> None:
    member.value = member.annotation = None


_REDUCED: dict[griffe.Kind, Any] = {
    griffe.Kind.CLASS: _reduce_class,
    griffe.Kind.FUNCTION: _reduce_function,
    griffe.Kind.ATTRIBUTE: _reduce_attribute,
}

_ABOUT_PLACES = (
    "filepath",
    "parsed",
    "analysis",
    "runtime",
    "git_info",
    "source_link",
    "inherited",
)
_ASKED_FOR = ("annotation", "bases", "decorators", "default", "lineno", "parameters", "returns")
"""What griffe wants to find when it reads, empty or not."""


def _without_empty(tree: Any) -> Any:
    """Without line numbers and other things that change though no signature does."""
    if isinstance(tree, list):
        return [_without_empty(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    tree.update({key: None for key in ("lineno", "endlineno") if key in tree})
    return {
        key: _without_empty(value)
        for key, value in tree.items()
        if key not in _ABOUT_PLACES and (value or key in _ASKED_FOR)
    }


if __name__ == "__main__":
    sys.exit(main())
