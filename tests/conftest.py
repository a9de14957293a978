"""What all tests share: a clean environment, and servers on loopback that record or misbehave."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.recording_server import RecordingServer

# A shell hands SIGINT down as ignored to what it runs in the background, as CI may be. Ctrl+C is
# what some tests are about, in this process and in those it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
# `make fuzz` says how many there are.
_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", settings().max_examples))
settings.register_profile("no deadline", deadline=None, max_examples=_EXAMPLES)
settings.load_profile("no deadline")

_SETTINGS = ("ROBOFLOW_", "INFERENCE_", "WEBRTC_", "ALLOW_", "WHITELISTED_", "BLACKLISTED_")
_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings or proxies of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(_SETTINGS) or name in _TRUST or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server on a free port that records requests and answers as told."""
    with RecordingServer() as recording:
        yield recording
