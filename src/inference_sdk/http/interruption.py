"""Ending work of other threads at once: whoever breaks off waits for no answer that nobody wants.

A task is cancelled by its event loop. A thread cannot be: it stands in a system call, waiting for
a server. So work that others may break off is done within a `Scope`, and says what ends its waits:
a socket is shut down, a pause is cut short. Its next step then raises `Cut`.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_scope: ContextVar[Scope | None] = ContextVar("inference_sdk_scope", default=None)


class Cut(BaseException):
    """The work was broken off. Like a cancellation it is no `Exception`: nobody tries again."""


class Scope:
    """Work that ends when `cut` is called, from any thread; so does what it starts itself."""

    def __init__(self) -> None:
        self.is_cut = threading.Event()
        self._process = os.getpid()
        # Reentrant: a collector that runs while it is held may close an abandoned stream.
        self._lock = threading.RLock()
        self._endings: list[Callable[[], None]] = []

    def run(self, work: Callable[[], T]) -> T:
        """Do the work; `current_scope` is this one meanwhile. To be called in a context copy."""
        _scope.set(self)
        check()
        return work()

    def cut(self) -> None:
        """End it."""
        if self._is_elsewhere():
            return
        self.is_cut.set()
        with self._lock:
            for end in list(self._endings):
                end()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Generator[None, None, None]:
        """Within: `end` is called when the scope is cut, and must not wait.

        Raises:
            Cut: it is already.
        """
        with self._lock:
            if self.is_cut.is_set():
                raise Cut
            self._endings.append(end)
        try:
            yield
        finally:
            if not self._is_elsewhere():
                with self._lock:
                    self._endings.remove(end)

    def _is_elsewhere(self) -> bool:
        """In a forked child the sockets are the parent's; at the interpreter's end no thread is
        left that could let go of the lock.
        """
        return self._process != os.getpid() or sys.is_finalizing()


@contextmanager
def ended_by(end: Callable[[], None]) -> Generator[None, None, None]:
    """As `Scope.ended_by`, of the scope that this work is part of, if any."""
    scope = _scope.get()
    if scope is None:
        yield
    else:
        with scope.ended_by(end):
            yield


def check() -> None:
    """Raise `Cut` where the work that this is part of was broken off."""
    scope = _scope.get()
    if scope is not None and scope.is_cut.is_set():
        raise Cut


def sleep(seconds: float) -> None:
    """Pause; a cut ends the pause."""
    scope = _scope.get()
    if scope is None:
        time.sleep(seconds)
    elif scope.is_cut.wait(seconds):
        raise Cut


def shut(connected: socket.socket) -> None:
    """Wake whoever waits on a socket, in whatever thread: it finds the connection ended."""
    with suppress(OSError):  # it has ended, or was never connected
        # The socket's own, not TLS's: that would take the connection from under its reader.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
