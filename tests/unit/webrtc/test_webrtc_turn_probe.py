"""Which TURN servers answer, asked over their own transport on loopback."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager

import pytest
import trustme
from aiortc import RTCConfiguration, RTCIceServer

from inference_sdk.webrtc import turn_probe
from inference_sdk.webrtc.turn_probe import prefer_reachable_turn, probe_turn_url


def answer_to(request, kind=0x0101):
    return struct.pack("!HHI12s", kind, 0, 0x2112A442, request[8:20])


class Stun(asyncio.DatagramProtocol):
    """Answers, or not, after some requests were lost."""

    def __init__(self, answer=answer_to, lose=0):
        self.answer, self.lose = answer, lose

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if self.lose > 0:
            self.lose -= 1
        elif self.answer is not None:
            self.transport.sendto(self.answer(data), addr)


@asynccontextmanager
async def udp_server(**behaviour):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Stun(**behaviour), local_addr=("127.0.0.1", 0)
    )
    try:
        yield "turn:127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


@asynccontextmanager
async def tcp_server(answer=answer_to, ssl=None):
    async def serve(reader, writer):
        try:
            request = await reader.readexactly(20)
            if answer is not None:
                writer.write(answer(request))
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_udp():
    async with udp_server() as url:
        assert await probe_turn_url(url)


async def test_an_error_is_an_answer_too():
    async with udp_server(answer=lambda request: answer_to(request, 0x0111)) as url:
        assert await probe_turn_url(url)


async def test_a_lost_request_is_sent_again(monkeypatch):
    monkeypatch.setattr(turn_probe._Datagrams, "RESEND_SECONDS", 0.02)
    async with udp_server(lose=2) as url:
        assert await asyncio.wait_for(probe_turn_url(url), 5)


@pytest.mark.parametrize("answer", [lambda request: b"junk" * 5, lambda request: b"x", None])
async def test_junk_is_no_answer(answer):
    async with udp_server(answer=answer) as url:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(probe_turn_url(url), 0.1)


async def test_tcp():
    async with tcp_server() as port:
        assert await probe_turn_url(f"turn:127.0.0.1:{port}?transport=tcp")


async def test_a_tcp_server_that_hangs_up():
    async with tcp_server(answer=None) as port:
        assert not await probe_turn_url(f"turn:127.0.0.1:{port}?transport=tcp")


async def test_tls(monkeypatch):
    import ssl

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with tcp_server(ssl=context) as port:
        url = f"turns:localhost:{port}?transport=tcp"
        assert not await probe_turn_url(url)  # a certificate that nobody vouches for
        monkeypatch.setattr(turn_probe.ssl, "create_default_context", lambda: trusting)
        assert await probe_turn_url(url)


@pytest.mark.parametrize(
    "url", ["turn:127.0.0.1:1?transport=tcp", "turn:127.0.0.1:1", "nonsense", "http://x", "turn:"]
)
async def test_what_does_not_answer(url):
    assert not await asyncio.wait_for(probe_turn_url(url), 5)


def config(*urls, **login):
    return RTCConfiguration(iceServers=[RTCIceServer(list(urls), **login)])


async def test_the_first_that_answers_comes_first():
    async with tcp_server() as port, tcp_server() as other:
        dead = "turn:127.0.0.1:1?transport=tcp"
        alive = [f"turn:127.0.0.1:{p}?transport=tcp" for p in (port, other)]
        given = config(dead, *alive, username="u", credential="c")
        given.iceServers.insert(0, RTCIceServer("stun:127.0.0.1:2"))
        preferred = await prefer_reachable_turn(given)
    servers = preferred.iceServers
    assert servers[0].urls == [alive[0]]
    assert (servers[0].username, servers[0].credential) == ("u", "c")
    assert servers[1].urls == ["stun:127.0.0.1:2"]
    assert servers[2].urls == [dead, alive[1]]
    assert given.iceServers[1].urls == [dead, *alive]


async def test_one_server_moves_before_another():
    async with tcp_server() as port:
        url = f"turn:127.0.0.1:{port}?transport=tcp"
        given = RTCConfiguration(
            iceServers=[RTCIceServer("turn:127.0.0.1:1?transport=tcp"), RTCIceServer(url)]
        )
        preferred = await prefer_reachable_turn(given)
    assert [server.urls for server in preferred.iceServers] == [
        [url],
        ["turn:127.0.0.1:1?transport=tcp"],
    ]


async def test_nothing_to_choose_is_left_alone():
    assert await prefer_reachable_turn(None) is None
    for given in (RTCConfiguration(), RTCConfiguration(iceServers=[]), config("turn:127.0.0.1:1")):
        assert await prefer_reachable_turn(given) is given


async def test_none_that_answers_changes_nothing():
    async with udp_server(answer=None) as silent:
        given = config(silent, "turn:127.0.0.1:1?transport=tcp")
        begun = asyncio.get_running_loop().time()
        assert await prefer_reachable_turn(given, timeout=0.1) is given
        assert asyncio.get_running_loop().time() - begun < 2
