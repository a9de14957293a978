"""Loggers of the package. A polite guest: the application decides what is shown, and where.

Where it decided nothing, warnings and errors still reach stderr, through a handler that steps
aside as soon as the application sets one of its own, before or after. Levels, propagation and
the root logger are left alone.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

from inference_sdk.utils.masking import guard_logger

if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # not subscriptable before Python 3.11

SDK_LOGGER_NAME = "inference_sdk"


def get_logger(module_name: str) -> logging.Logger:
    """Logger of a module, a child of the logger `inference_sdk`; secrets in its records are masked.

    Args:
        module_name: `__name__`, or any name to put below `inference_sdk`.
    """
    package_logger = logging.getLogger(SDK_LOGGER_NAME)
    if not package_logger.hasHandlers():
        package_logger.addHandler(_FallbackHandler())
    inside = module_name == SDK_LOGGER_NAME or module_name.startswith(f"{SDK_LOGGER_NAME}.")
    logger = logging.getLogger(module_name if inside else f"{SDK_LOGGER_NAME}.{module_name}")
    guard_logger(logger)
    return logger


class _FallbackHandler(_StreamHandler):
    """Writes to stderr while no other handler would see the record."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if not _application_handles(record.name):
            # Looked up now: programs and tests replace sys.stderr.
            self.stream = sys.stderr
            super().emit(record)


def _application_handles(name: str) -> bool:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        if any(not isinstance(handler, _FallbackHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
