"""What an answer means: JSON, a picture, or an error with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inference_sdk.http.answers import SHOWN_BYTES, Answer, api_message
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
        ("text", "N/A"),
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
        ({"detail": {"reason": "x"}}, "{'reason': 'x'}"),
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
    assert (
        str(error)
        == repr(error)
        == (
            f"HTTPCallErrorError(description='{error.description}', "
            f"api_message='{error.api_message}',status_code={status})"
        )
    )


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_other_statuses_are_no_errors(status: int) -> None:
    answer(status=status).raise_for_status()


def test_json() -> None:
    assert answer(b'{"a": [1]}').json() == {"a": [1]}


def test_what_is_no_json_is_shown() -> None:
    page = b"<html>" + b"x" * 1000
    with pytest.raises(InvalidServerResponseError) as caught:
        answer(page, Content_Type="text/html").json()
    message = str(caught.value)
    assert "http://host/info?api_key=01***89&v=1 answered with status 200" in message
    assert "text/html, 1006 bytes" in message
    assert page[:SHOWN_BYTES].decode() in message
    assert page[: SHOWN_BYTES + 1].decode() not in message


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
