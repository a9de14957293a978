"""What an answer means: JSON, a picture, or an error with its reason."""

from __future__ import annotations

import gc
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from inference_sdk.http.answers import SHOWN_CHARACTERS, Answer, api_message, parse_json
from inference_sdk.http.errors import HTTPCallErrorError, InvalidServerResponseError

KEY = "0123456789"


def answer(content: bytes = b"", status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, "Bad Gateway", f"http://host/info?api_key={KEY}&v=1", named, content)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "no such model"}, "no such model"),
        ({"message": "a", "detail": "b"}, "a"),
        ({"detail": "Method Not Allowed"}, "Method Not Allowed"),
        ({"message": None, "detail": "b"}, "b"),
        ({}, "N/A"),
        ([], "N/A"),
        ("Forbidden", "Forbidden"),
        (["no key", "no model"], "no key; no model"),
        (False, "N/A"),
        ({"reason": 5, "code": 7}, "5"),
        ({"code": 7}, "N/A"),
        ({"error": "a"}, "a"),
        ({"error": True, "reason": "a"}, "a"),
        ({"error": {"code": 7, "message": "a"}}, "a"),
        ({"Message": "a"}, "a"),
        ({"detail": {"msg": "a"}}, "a"),
        ({"errors": ["a", {"message": "b"}]}, "a; b"),
        (None, "N/A"),
        ({"message": {"code": 7}}, "{'code': 7}"),
        ({"message": "a", "inner_error_message": "b"}, "a. More details: b"),
        ({"inner_error_message": "b"}, "N/A. More details: b"),
        ({"message": "a", "inner_error_message": "None"}, "a"),
        ({"message": "a", "inner_error_message": None}, "a"),
        ({"message": "a", "inner_error_message": ""}, "a"),
        (
            {
                "detail": [
                    {"type": "missing", "loc": ["body", "model_id"], "msg": "Field required"},
                    {"loc": ["body", "image", 0], "msg": "wrong", "input": {"api_key": KEY}},
                    {"msg": "no place"},
                    {"loc": ["body"]},
                    "text",
                ]
            },
            "body.model_id: Field required; body.image.0: wrong; no place; {'loc': ['body']}; text",
        ),
        ({"detail": []}, "N/A"),
        ({"detail": {"reason": "x"}}, "x"),
        ({"detail": {"other": "x"}}, "{'other': 'x'}"),
    ],
)
def test_api_message_of_json(body: Any, message: str) -> None:
    assert api_message(json.dumps(body).encode()) == message


@pytest.mark.parametrize("text", ["", "<html>Bad Gateway</html>", "Größe"])
def test_api_message_of_text(text: str) -> None:
    assert api_message(text.encode()) == text


def test_api_message_of_bytes_that_are_no_text() -> None:
    assert api_message(b"\xff\xfe") == "\ufffd\ufffd"


@pytest.mark.parametrize(("status", "side"), [(400, "Client"), (499, "Client"), (502, "Server")])
def test_raise_for_status(status: int, side: str) -> None:
    with pytest.raises(HTTPCallErrorError) as caught:
        answer(b'{"message": "key api_key=0123456789 is unknown"}', status).raise_for_status()
    error = caught.value
    assert error.description == (
        f"{status} {side} Error: Bad Gateway for url: http://host/info?api_key=01***89&v=1"
    )
    assert error.status_code == status
    assert error.api_message == "key api_key=01***89 is unknown"
    assert repr(error) == (
        f"{type(error).__name__}(description='{error.description}', "
        f"api_message='{error.api_message}',status_code={status})"
    )
    assert str(error).startswith(
        f"http://host/info answered with status {status} (Bad Gateway): key api_key=01***89 is "
        "unknown."
    )
    assert error.body == '{"message": "key api_key=01***89 is unknown"}'


@pytest.mark.parametrize("status", [200, 204, 299])
def test_success_is_no_error(status: int) -> None:
    answer(status=status).raise_for_status()


@pytest.mark.parametrize("status", [199, 302, 399])
def test_what_is_neither_success_nor_an_error(status: int) -> None:
    with pytest.raises(InvalidServerResponseError, match=str(status)) as caught:
        answer(b'{"looks": "like a result"}', status).raise_for_status()
    assert caught.value.status_code == status
    assert "looks" in str(caught.value)


PAGE = f"<!DOCTYPE html><html><title>\n Bad &amp; worse </title>{'x' * 100_000}</html>"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (PAGE, "Bad & worse (a page of 100061 characters)"),
        ("<html>" + "x" * 1000, "no title (a page of 1006 characters)"),
        ("x" * 1_000_000, "xxx … xxx"),
        (json.dumps({"message": "x" * 1_000_000}), "xxx … xxx"),
        (json.dumps({"detail": [{"msg": "x", "loc": ["y"]}] * 9999}), "y: x; y: x"),
    ],
    ids=["page", "page without a title", "text", "message", "report"],
)
def test_long_errors_are_short(body: str, said: str) -> None:
    with pytest.raises(HTTPCallErrorError) as caught:
        answer(body.encode(), 502).raise_for_status()
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500
    assert len(repr(caught.value)) < 700
    assert caught.value.body == body


@pytest.mark.parametrize("name", ["X-Request-Id", "X-Amzn-RequestId", "CF-Ray"])
def test_a_request_has_the_servers_name(name: str) -> None:
    answered = Answer(500, "Oops", "http://host", CaseInsensitiveDict({name: "r-17"}), b"")
    error = replace(answered, tries=3, elapsed=2.04).error()
    assert (error.request_id, error.tries, error.elapsed) == ("r-17", 3, 2.04)
    assert str(error).endswith("(3 tries in 2.0 s, request id r-17)")


def test_json() -> None:
    assert answer(b'{"a": [1]}').json() == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[Infinity, -Infinity, 1e999]", [math.inf, -math.inf, math.inf]),
        ('{"class": "\\ud800"}', {"class": "\ud800"}),
        ("[18446744073709551616, -9223372036854775809]", [2**64, -(2**63) - 1]),
        ("12345678901234567890123", 12345678901234567890123),
        (
            "[0.12345678901234567890123, 12345678901234567890.5]",
            [0.12345678901234568, 12345678901234567890.5],
        ),
        ("\ufeff{}", {}),
    ],
)
def test_json_as_python_writes_it(text: str, value: Any) -> None:
    assert parse_json(text.encode()) == value


def test_not_a_number() -> None:
    assert math.isnan(parse_json(b"[NaN]")[0])


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"NaN,", b"[" * 5000, b"[" * 100_000, b"[NaN," * 100_000, b"9" * 5000],
    ids=lambda content: f"{content[:5]!r} {len(content)}",
)
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(content)


def test_what_is_no_json_is_shown() -> None:
    page = b"<html>" + b"x" * 1000
    with pytest.raises(InvalidServerResponseError) as caught:
        answer(page, Content_Type="text/html").json()
    message = str(caught.value)
    assert "http://host/info answered with status 200" in message
    assert "text/html, 1006 bytes" in message
    assert caught.value.body == page.decode()
    assert page[:SHOWN_CHARACTERS].decode() in message
    assert page[: SHOWN_CHARACTERS + 1].decode() not in message


def test_a_page_that_repeats_the_key() -> None:
    with pytest.raises(InvalidServerResponseError) as caught:
        answer(f"<a href='/info?api_key={KEY}'>".encode()).json()
    assert KEY not in str(caught.value)
    assert "no content type" in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "is_jpeg"),
    [
        ({"Content_Type": "image/jpeg"}, True),
        ({"Content_Type": "image/jpeg; q=1"}, True),
        ({"Content_Type": "application/json"}, False),
        ({}, False),
    ],
)
def test_is_jpeg(headers: dict[str, str], is_jpeg: bool) -> None:
    assert answer(**headers).is_jpeg is is_jpeg


@pytest.mark.parametrize(
    ("loc", "place"), [(["body", 0], "body.0: "), (None, ""), (5, "5: "), ("body", "body: ")]
)
def test_the_place_of_a_problem_may_be_anything(loc: object, place: str) -> None:
    body = json.dumps({"detail": [{"loc": loc, "msg": "wrong"}]}).encode()
    assert api_message(body) == f"{place}wrong"


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize("ending", [b"]", b""])
def test_a_large_body_leaves_the_collector_as_it_was(collects: bool, ending: bytes) -> None:
    content = b"[" + b"{}, " * 20_000 + b"1" + ending
    was = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        if ending:
            assert len(parse_json(content)) == 20_001
        else:
            with pytest.raises(ValueError, match="character"):
                parse_json(content)
        assert gc.isenabled() == collects
    finally:
        (gc.enable if was else gc.disable)()
