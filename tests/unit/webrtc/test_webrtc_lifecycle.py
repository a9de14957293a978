"""The states of a session, without a server: what starts it, what closes it, who may register."""

from __future__ import annotations

import asyncio
import gc
import threading
from unittest.mock import MagicMock

import pytest

from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.webrtc import (
    ManualSource,
    SessionState,
    StreamConfig,
    StreamSource,
    WebRTCSession,
)
from inference_sdk.webrtc.errors import WebRTCStartError


def session(source=None, api_url="http://127.0.0.1:1", **config):
    return WebRTCSession(
        api_url=api_url,
        api_key="secret-key",
        source=source or MagicMock(),
        image_input_name="image",
        workflow_config={"workflow_specification": {}},
        stream_config=StreamConfig(**config),
    )


def test_a_new_session_has_not_started():
    fresh = session()
    assert fresh.state is SessionState.NOT_STARTED
    assert [state.value for state in SessionState] == ["not_started", "started", "closed"]
    assert "secret" not in repr(fresh)
    assert fresh.stats().frames_received == 0


def test_closing_what_never_started():
    fresh = session()
    fresh.close()
    fresh.close()
    assert fresh.state is SessionState.CLOSED


def test_a_with_block_closes():
    with session() as inside:
        assert inside.state is SessionState.NOT_STARTED
    assert inside.state is SessionState.CLOSED


async def test_an_async_with_block_closes():
    async with session() as inside:
        pass
    assert inside.state is SessionState.CLOSED


@pytest.mark.parametrize("use", ["run", "wait", "video"])
def test_use_after_close_is_an_error(use):
    closed = session()
    closed.close()
    with pytest.raises(RuntimeError, match="closed"):
        getattr(closed, use)()


async def test_async_use_after_close_is_an_error():
    closed = session()
    await closed.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await closed.arun()
    with pytest.raises(RuntimeError, match="closed"):
        async for _ in closed.video_async():
            pass


def test_the_forms_of_registering():
    fresh = session()

    def one(value): ...

    assert fresh.on_frame(one) is one
    assert fresh.on_error(one) is one
    assert fresh.on_data(one) is one
    assert fresh.on_data()(one) is one
    assert fresh.on_data("field")(one) is one
    assert fresh.on_data(field_name="field")(one) is one


def test_an_unknown_transport():
    with pytest.raises(InvalidParameterError):
        WebRTCSession("http://x", None, MagicMock(), "image", {}, StreamConfig(), False, None, "x")


@pytest.mark.parametrize("use", ["run", "wait", "video"])
def test_a_start_that_fails_names_the_server_and_closes(use):
    failing = session(ManualSource())
    with pytest.raises(RuntimeError, match=r"http://127\.0\.0\.1:1") as raised:
        getattr(failing, use)()
    assert isinstance(raised.value, WebRTCStartError)
    assert "secret" not in str(raised.value)
    assert failing.state is SessionState.CLOSED


async def test_an_async_start_that_fails():
    failing = session(ManualSource())
    with pytest.raises(WebRTCStartError):
        await failing.arun()


def test_a_session_that_never_started_is_collected_without_a_word():
    forgotten = session()
    del forgotten
    gc.collect()


class Broken(StreamSource):
    """A source of the user's own, with a mistake."""

    async def configure_peer_connection(self, pc):
        raise KeyError("mine")

    def get_initialization_params(self, config):
        return {}


def test_a_source_that_breaks_is_a_start_that_fails():
    with pytest.raises(WebRTCStartError, match=r"127\.0\.0\.1:1.*mine.*KeyError"):
        session(Broken()).wait()


def test_what_is_no_source_is_said_at_once():
    with pytest.raises(
        InvalidParameterError, match="no source to stream: it has no configure_peer"
    ):
        session(object())


class Slow(StreamSource):
    """A source that takes its time to open."""

    def __init__(self):
        self.opening = threading.Event()
        self.cleaned = threading.Event()

    async def prepare(self):
        self.opening.set()
        await asyncio.sleep(30)

    async def configure_peer_connection(self, pc): ...

    def get_initialization_params(self, config):
        return {}

    async def cleanup(self):
        self.cleaned.set()


def test_closing_while_it_starts_ends_the_start():
    slow = Slow()
    starting = session(slow)
    errors = []

    def start():
        try:
            starting.wait()
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert slow.opening.wait(5)
    starting.close()
    for thread in threads:
        thread.join(5)
    assert len(errors) == 2
    assert "closed" in str(errors[0])
    assert slow.cleaned.is_set()


async def test_a_cancelled_async_start_closes():
    slow = Slow()
    starting = session(slow)
    task = asyncio.ensure_future(starting.arun())
    assert await asyncio.to_thread(slow.opening.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert starting.state is SessionState.CLOSED
    assert await asyncio.to_thread(slow.cleaned.wait, 5)


def test_interrupting_the_start_leaves_nothing(monkeypatch):
    slow = Slow()
    starting = session(slow)
    before = threading.active_count()
    timer = threading.Timer(0.1, interrupt_main, (slow.opening,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        starting.run()
    timer.join(5)
    assert threading.active_count() == before
    assert starting.state is SessionState.CLOSED


def interrupt_main(when):
    import signal

    when.wait(5)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
