from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inference_sdk.utils.logging import get_logger


@contextmanager
def bare_logging() -> Iterator[None]:
    """Logging as in a program that has not set it up; pytest's own handlers are put aside."""
    root, package = logging.getLogger(), logging.getLogger("inference_sdk")
    before = root.handlers[:], package.handlers[:]
    root.handlers, package.handlers = [], []
    try:
        yield
    finally:
        root.handlers, package.handlers = before


def run(program: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    return finished.stderr


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("inference_sdk.http.client", "inference_sdk.http.client"),
        ("inference_sdk", "inference_sdk"),
        ("my_program", "inference_sdk.my_program"),
        ("inference_sdk_tools", "inference_sdk.inference_sdk_tools"),
    ],
)
def test_loggers_are_children_of_the_packages(module: str, name: str) -> None:
    assert get_logger(module).name == name


def test_without_logging_set_up_warnings_reach_stderr_once() -> None:
    output = run(
        "from inference_sdk.utils.logging import get_logger\n"
        "get_logger('a'); get_logger('b').warning('beware'); get_logger('b').info('by the way')"
    )
    assert output.count("beware") == 1
    assert "WARNING inference_sdk.b" in output
    assert "by the way" not in output


@pytest.mark.parametrize("before", [True, False])
def test_the_applications_handler_is_the_only_one(before: bool) -> None:
    steps = [
        "logging.basicConfig(format='MINE %(message)s')",
        "logger = get_logger('a')",
    ]
    ordered = steps if before else steps[::-1]
    output = run(
        "import logging\nfrom inference_sdk.utils.logging import get_logger\n"
        + "\n".join(ordered)
        + "\nlogger.warning('beware')"
    )
    assert output == "MINE beware\n"


def test_a_handler_on_the_packages_logger_is_respected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()
    with bare_logging():
        logger = get_logger("here")
        logging.getLogger("inference_sdk").addHandler(logging.StreamHandler(stream))
        logger.warning("beware")
    assert stream.getvalue() == "beware\n"
    assert capsys.readouterr().err == ""


def test_handlers_that_records_do_not_reach_do_not_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bare_logging():
        logger = get_logger("here")
        monkeypatch.setattr(logging.getLogger("inference_sdk"), "propagate", False)
        logging.getLogger().addHandler(logging.NullHandler())
        logger.warning("beware")
    assert "beware" in capsys.readouterr().err


def test_nothing_but_one_handler_is_set_up() -> None:
    package = logging.getLogger("inference_sdk")
    with bare_logging():
        get_logger("a")
        get_logger("b")
        assert len(package.handlers) == 1
        assert logging.getLogger().handlers == []
    assert package.propagate
    assert package.level == logging.NOTSET


def test_where_the_application_has_a_handler_none_is_added() -> None:
    with bare_logging():
        logging.getLogger().addHandler(logging.NullHandler())
        get_logger("a")
        assert logging.getLogger("inference_sdk").handlers == []
