"""Users' functions: found, called with what they ask for, and never able to stop the stream."""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from unittest.mock import MagicMock

import pytest

from inference_sdk.webrtc.handlers import Handlers, call_safely, call_safely_async, takes_two
from inference_sdk.webrtc.messages import VideoMetadata

METADATA = VideoMetadata(1, datetime.now(timezone.utc))


class Thing:
    def one(self, value): ...

    def two(self, value, metadata): ...


@pytest.mark.parametrize(
    ("handler", "two"),
    [
        (lambda value: None, False),
        (lambda value, metadata: None, True),
        (lambda value, metadata=None: None, True),
        (lambda *arguments: None, False),
        (lambda value, *others: None, True),
        (lambda *arguments, **options: None, True),
        (lambda value, *, other=1: None, False),
        (Thing().one, False),
        (Thing().two, True),
        (functools.partial(lambda a, b: None, 1), False),
        (functools.partial(lambda a, b, c: None, 1), True),
        ([].append, False),
        (dict.fromkeys, True),
        (dict, False),
        (MagicMock(), True),
    ],
)
def test_what_a_handler_takes_is_told_from_its_signature(handler, two):
    assert takes_two(handler) is two


def test_data_goes_to_its_field_and_to_all(caplog):
    handlers, got = Handlers(), []
    handlers.add_data(None, lambda data, metadata: got.append(("all", data, metadata)))
    handlers.add_data("a", lambda value: got.append(("a", value)))
    handlers.add_data("missing", lambda value: got.append(("missing", value)))
    handlers.on_data({"a": 1, "image": 2}, METADATA, hidden=("image",))
    assert got == [("all", {"a": 1}, METADATA), ("a", 1)]


def test_a_hidden_field_still_goes_to_its_own_handler():
    handlers, got = Handlers(), []
    handlers.add_data("image", got.append)
    handlers.on_data({"image": 2}, None, hidden=("image",))
    assert got == [2]


def test_errors_go_to_their_handlers():
    handlers, got = Handlers(), []
    handlers.add_error(lambda errors, metadata: got.append((errors, metadata)))
    handlers.add_error(lambda errors: got.append(errors))
    handlers.on_errors(("bad",), METADATA)
    assert got == [(["bad"], METADATA), ["bad"]]


def test_whether_anybody_listens():
    handlers = Handlers()
    handlers.frame.append(print)
    assert not handlers.want_errors
    assert not handlers.want_data
    handlers.add_error(print)
    handlers.add_data("field", print)
    assert handlers.want_errors
    assert handlers.want_data


def test_what_somebody_will_get_of_the_data():
    handlers = Handlers()
    data = {"image": "large", "a": 1, "b": 2}
    handlers.add_data("b", print)
    assert handlers.wanted(data, ("image",)) == {"b": 2}
    handlers.add_data(None, print)
    assert handlers.wanted(data, ("image",)) == {"a": 1, "b": 2}
    handlers.add_data("image", print)
    assert handlers.wanted(data, ("image",)) == data


def test_null_data_goes_to_handlers_of_all_data():
    handlers, got = Handlers(), []
    handlers.add_data(None, got.append)
    handlers.add_data("field", got.append)
    handlers.on_data(None, None)
    assert got == [None]


def test_a_handler_that_raises_is_logged_by_name(caplog):
    def breaks(value):
        raise ValueError("mine")

    call_safely(breaks, 1, None)
    assert "breaks" in caplog.text
    assert "mine" in caplog.text


def test_a_handler_may_end_the_program():
    with pytest.raises(KeyboardInterrupt):
        call_safely(MagicMock(side_effect=KeyboardInterrupt), 1, None)


async def test_coroutine_handlers_are_awaited(caplog):
    got = []

    async def takes(value, metadata):
        got.append((value, metadata))

    async def breaks(value):
        raise ValueError("mine")

    await call_safely_async(takes, 1, METADATA)
    await call_safely_async(lambda value: got.append(value), 2, METADATA)
    await call_safely_async(breaks, 3, METADATA)
    assert got == [(1, METADATA), 2]
    assert "mine" in caplog.text
