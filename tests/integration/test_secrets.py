"""No secret leaves the package: every public call, sync and async, with a server that repeats all it
was told in every place of an answer.

Searched: message, `repr`, attributes, chain and traceback of the error, its pickle, what all loggers
say at DEBUG, warnings, and the client's own `repr`.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from inference_sdk import InferenceHTTPClient
from inference_sdk.http.errors import HTTPClientError
from tests.client_surface import CALLS
from tests.integration.bare_peer import write_video
from tests.integration.test_misbehaving_servers import everything_of
from tests.programs import Face, Player, both_plays
from tests.raw_server import Connection, RawServer
from tests.wire_calls import IMAGE, ROWS

# Made here, since a traceback quotes the lines of this file.
KEY, SERVICE, ACCESS, CAMERA, SIGNATURE = (
    "".join(parts)
    for parts in (
        ("rf_Kq7/", "x+Zb42=mW"),
        ("srv-Tn3", "cQ81vLd"),
        ("gate$way", "Pw9kJ"),
        ("cam-Hy", "6tRe20s"),
        ("sig%2Fab", "Qw3%2BzX"),
    )
)
OF_THE_CLIENT = (KEY, SERVICE, ACCESS)
OF_A_CALL = {
    "start_inference_pipeline_with_workflow v1": (CAMERA,),
    "infer_on_video_from_api_v0 by URL": (CAMERA, SIGNATURE),
    "load_images": (CAMERA, SIGNATURE),
}
"""What a call is told beside what its client knows."""


def forms_of(secret: str) -> list[str]:
    """The ways in which a server may write it, and no mask may let through."""
    encoded = secret.encode()
    return [
        secret,
        secret.upper(),
        quote(secret, safe=""),
        quote(quote(secret, safe=""), safe=""),
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(letter):04x}" for letter in secret),
        html.escape(secret),
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    ]


FORMS = {
    secret: list(dict.fromkeys(forms_of(secret))) for secret in (*OF_THE_CLIENT, CAMERA, SIGNATURE)
}
TOLD = " ".join(form for forms in FORMS.values() for form in forms)


def shown_in(text: str, secrets: tuple[str, ...]) -> list[str]:
    """Which are found in a text, in whatever case."""
    folded = text.casefold()
    return [form for secret in secrets for form in FORMS[secret] if form.casefold() in folded]


def whole(body: str, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body.encode())}"]
    return ("\r\n".join([*head, "Connection: close", "", ""]) + body).encode()


def to(location: str) -> bytes:
    return whole("", "307 Temporary Redirect", Location=location)


JSON = "application/json"
PAGE = f"<html><title>{html.escape(TOLD)}</title>{TOLD * 20}</html>"
PLACES = {
    "the reason": whole("{}", f"500 no {TOLD}"),
    "a message": whole(json.dumps({"message": TOLD}), "400 No"),
    "a report": whole(json.dumps({"detail": [{"loc": [TOLD], "msg": TOLD}]}), "422 No"),
    "an inner message": whole(
        json.dumps({"message": "no", "inner_error_message": TOLD}), "500 No", Content_Type=JSON
    ),
    "the text of an error": whole(TOLD, "403 Forbidden"),
    "a page": whole(PAGE, "502 Bad Gateway", Content_Type="text/html"),
    "the id of a request": whole("{}", "404 Not Found", X_Request_Id=TOLD),
    "the content type": whole("no JSON", Content_Type=f"text/{TOLD}"),
    "a body that is no JSON": whole(f"{TOLD} {{", Content_Type=JSON),
    "a body that is a text": whole(json.dumps(TOLD), Content_Type=JSON),
    "the names in a list": whole(json.dumps([[{TOLD: TOLD}]]), Content_Type=JSON),
    "the content encoding": whole("{}", Content_Encoding=TOLD),
    "a pause to wait": whole("{}", "503 No", Retry_After=TOLD),
    "the user of a redirect": to(f"http://{TOLD.replace(' ', '+')}@elsewhere.test/"),
    "the host of a redirect": to(f"http://{SERVICE}.{CAMERA}.test/"),
    "the path of a redirect": to(f"http://elsewhere.test/{TOLD.replace(' ', '/')}"),
    "the query of a redirect": to(f"http://elsewhere.test/?again={TOLD}#{TOLD}"),
    "the port of a redirect": to(f"http://127.0.0.1:{TOLD}/"),
    "a redirect to no address": to(f"{TOLD}://[{TOLD}"),
    "a status line": f"{TOLD}\r\n\r\n".encode(),
    "a status": f"HTTP/1.1 {KEY} {TOLD}\r\n\r\n".encode(),
    "a header that is none": f"HTTP/1.1 200 OK\r\n{TOLD}\r\n\r\n".encode(),
    "the name of a header": f"HTTP/1.1 200 OK\r\n{TOLD}: 1\r\n\r\n".encode(),
    "a length": f"HTTP/1.1 200 OK\r\nContent-Length: {TOLD}\r\n\r\n".encode(),
    "a transfer encoding": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {TOLD}\r\n\r\n".encode(),
    "the size of a chunk": (
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOLD}\r\n".encode()
    ),
}
"""Bytes of an answer; in each something is wrong, so that the call ends in an error."""


class Repeating:
    """A server that says, to whatever it is asked, what it was told to say."""

    def __init__(self) -> None:
        self.says = b""

    def __call__(self, connection: Connection) -> None:
        if connection.read_request():
            connection.socket.sendall(self.says)
            connection.socket.shutdown(socket.SHUT_WR)
            connection.read_request()  # until the client has gone: no reset overtakes the answer


@pytest.fixture(scope="module")
def repeating() -> Iterator[tuple[Repeating, str]]:
    script = Repeating()
    with RawServer(script) as server:
        yield script, server.url


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(path, 2)
    return str(path)


def client_of(url: str, mode: str) -> InferenceHTTPClient:
    address = url.replace("//", f"//me:{quote(ACCESS, safe='')}@")
    client = InferenceHTTPClient(address, KEY)
    client = client.select_api_v0() if mode == "v0" else client.select_api_v1()
    return client.with_options(max_tries=1, service_secret=SERVICE, read_timeout=5.0)


Call = Callable[[Face, str], Any]


def rows() -> dict[str, tuple[str, Call]]:
    """One way to make each call of the table, and both APIs where they differ."""
    made: dict[str, tuple[str, Call]] = {}
    for row in ROWS:
        for mode in row.modes if row.method == "infer" else row.modes[-1:]:
            arguments = {**({"inference_input": IMAGE} if row.images else {}), **row.arguments}
            if "video_reference" in arguments:
                arguments["video_reference"] = f"rtsp://me:{CAMERA}@camera.test/1"
            made.setdefault(f"{row.method} {mode}", (mode, calling(row.method, **arguments)))
    return made


def calling(method: str, *args: Any, **arguments: Any) -> Call:
    async def call(face: Face, _: str) -> Any:
        return await face.call(method, *args, **arguments)

    return call


def listing(method: str, *args: Any, **arguments: Any) -> Call:
    async def call(face: Face, clip: str) -> Any:
        given = [clip if arg == "clip" else arg for arg in args]
        for result in await face.list(method, *given, **arguments):
            if isinstance(result, HTTPClientError):
                raise result

    return call


SIGNED = f"me:{CAMERA}@{{}}/a?X-Amz-Signature={SIGNATURE}"


async def upload(face: Face, clip: str) -> Any:
    return await face.call("infer_on_video_from_api_v0", clip, model_id="project/1")


async def download(face: Face, _: str) -> Any:
    """Signed, and with a password: the picture's host repeats both."""
    url = face.client._state.api_url.partition("@")[2]
    return await face.call("infer", f"http://{SIGNED.format(url)}", model_id="project/1")


WAYS: dict[str, tuple[str, Call]] = {
    **rows(),
    "infer of several": ("v0", calling("infer", [IMAGE, IMAGE], model_id="project/1")),
    "infer_from_api_v0": ("v0", calling("infer_from_api_v0", IMAGE, model_id="project/1")),
    "infer_many": ("v0", listing("infer_many", [IMAGE, IMAGE], "project/1")),
    "infer_many, which goes on": (
        "v0",
        listing("infer_many", [IMAGE, IMAGE], "project/1", on_error="return"),
    ),
    "infer_on_stream": ("v0", listing("infer_on_stream", "clip", "project/1")),
    "infer_on_video_from_api_v0": ("v0", upload),
    "infer_on_video_from_api_v0 by URL": (
        "v0",
        calling(
            "infer_on_video_from_api_v0",
            f"https://{SIGNED.format('clips.test')}",
            model_id="project/1",
        ),
    ),
    "load_images": ("v0", download),
}

SENDING_NOTHING = {"load_images", "load_nested_images"}


def test_every_public_call_is_among_them() -> None:
    assert set(CALLS) - SENDING_NOTHING - {"ping"} == {  # which raises nothing: see test_ping
        way.split()[0].rstrip(",") for way in WAYS if way != "load_images"
    }


def told_of(error: HTTPClientError) -> str:
    copied = pickle.loads(pickle.dumps(error))
    pickled = pickle.dumps(error).decode("latin-1")
    return "\n".join([everything_of(error), everything_of(copied), pickled])


@both_plays
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.filterwarnings("ignore:.*")
def test_no_secret_is_shown(
    play: Player,
    way: str,
    repeating: tuple[Repeating, str],
    clip: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    script, url = repeating
    mode, call = WAYS[way]
    client = client_of(url, mode)
    secrets = (*OF_THE_CLIENT, *OF_A_CALL.get(way, ()))
    leaks: dict[str, list[str]] = {}
    caplog.set_level(logging.DEBUG)

    async def program(face: Face) -> None:
        for place, answer in PLACES.items():
            script.says = answer
            caplog.clear()
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                error = await failure(call, face, clip)
            said = [str(warning.message) for warning in warned]
            logged = [logging.Formatter().format(record) for record in caplog.records]
            found = shown_in("\n".join([told_of(error), *said, *logged, repr(client)]), secrets)
            if found:
                leaks[place] = found
        if face.is_async:
            await face.client.aclose()

    play(client, program)
    assert not leaks


async def failure(call: Call, face: Face, clip: str) -> HTTPClientError:
    with pytest.raises(HTTPClientError) as caught:
        await call(face, clip)
    return caught.value
