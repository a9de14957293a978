"""For which client something is done: what it needs on the way, it gets over that client's connections.

Downloads are asked for deep inside, by loaders that users know and replace, which are told nothing
of a client. They inherit it with their context, as they do the moment when a call has to be over.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from inference_sdk.http.transport import Transport


class Caller(NamedTuple):
    """A client, as far as what it needs on the way is concerned."""

    transport: Transport
    api_urls: tuple[str, ...]


_caller: ContextVar[Caller | None] = ContextVar("inference_sdk_caller", default=None)


def current_caller() -> Caller | None:
    """The client whose call this is part of, None where it is part of none."""
    return _caller.get()


@contextmanager
def called_by(transport: Transport, api_urls: tuple[str, ...]) -> Generator[None, None, None]:
    """Do what is inside for a client."""
    token = _caller.set(Caller(transport, api_urls))
    try:
        yield
    finally:
        _caller.reset(token)
