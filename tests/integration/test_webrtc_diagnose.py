"""What works from here, and what to do: asked of servers on loopback."""

from __future__ import annotations

import asyncio
import struct

import pytest

from inference_sdk.config import InferenceSDKDeprecationWarning
from inference_sdk.webrtc import StreamConfig, WebRTCClient, diagnose
from inference_sdk.webrtc.diagnose import Check, Diagnosis
from tests.integration.webrtc_peer import Worker

KEY = "secret-key-0123"


@pytest.fixture(autouse=True)
def no_internet(monkeypatch):
    monkeypatch.setattr(diagnose, "CHECK_TIMEOUT", 0.5)


def client(url):
    with pytest.warns(InferenceSDKDeprecationWarning):
        return WebRTCClient(url, KEY)


class Stun(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(struct.pack("!HHI12s", 0x0101, 0, 0x2112A442, data[8:20]), addr)


async def test_a_server_and_its_turn():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Stun, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    turn = {
        "iceServers": [
            {"urls": f"stun:127.0.0.1:{port}"},
            {"urls": [f"turn:127.0.0.1:{port}", "turn:127.0.0.1:1?transport=tcp"]},
        ]
    }
    with Worker() as worker:
        found = await client(worker.url).diagnose_async(config=StreamConfig(turn_server=turn))
    transport.close()
    assert {check.name: check.ok for check in found.checks} == {
        "signalling": True,
        "stun": True,
        "turn over udp": True,
        "turn over tcp": False,
        "turn over tls": None,
    }
    assert found.ok
    assert "Open TCP" in str(found)
    assert KEY not in str(found)


def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setattr(diagnose, "PUBLIC_STUN_URL", "stun:127.0.0.1:1")
    monkeypatch.setattr(diagnose.diagnose, "__kwdefaults__", {"stun_url": "stun:127.0.0.1:1"})
    found = client("http://127.0.0.1:1").diagnose()
    assert not found.ok
    text = str(found)
    assert "signalling: failed" in text
    assert "cannot be reached" in text
    assert "stun: failed" in text
    assert "turn over udp: not checked" in text


async def test_a_server_without_webrtc():
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    async with TestServer(web.Application()) as server:
        found = await client(str(server.make_url(""))).diagnose_async(
            config=StreamConfig(turn_server={"urls": 3})
        )
    assert not found.ok
    assert "has no initialise_webrtc_worker" in str(found)
    assert "turn configuration: failed" in str(found)


async def test_a_turn_server_that_is_silent():
    silent, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = silent.get_extra_info("sockname")[1]
    config = StreamConfig(
        turn_server={"urls": [f"turn:127.0.0.1:{port}", f"stun:127.0.0.1:{port}"]}
    )
    with Worker() as worker:
        found = await client(worker.url).diagnose_async(config=config)
    silent.close()
    assert not found.ok
    assert "No answer from turn:127.0.0.1" in str(found)


def test_a_diagnosis_without_turn_is_good_enough():
    assert Diagnosis((Check("signalling", True, "fine"), Check("turn over udp", None, ""))).ok
