from __future__ import annotations

import re
import traceback
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from inference_sdk.http.utils.requests import (
    api_key_safe_raise_for_status,
    deduct_api_key,
    deduct_api_key_from_string,
    inject_images_into_payload,
    inject_nested_batches_of_images_into_payload,
)
from inference_sdk.utils.masking import mask_secret

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("value", "masked"),
    [("", "***"), ("1234567", "***"), ("12345678", "12***78"), (KEY, "01***ef")],
)
def test_a_key_is_masked_by_its_length(value: str, masked: str) -> None:
    assert mask_secret(value) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nothing to hide", "nothing to hide"),
        ("http://a.com/x?api_key=short", "http://a.com/x?api_key=***"),
        (f"http://a.com/x?api_key={KEY}", "http://a.com/x?api_key=01***ef"),
        (f"http://a.com/x?api_key={KEY}&b=1", "http://a.com/x?api_key=01***ef&b=1"),
        (f"api_key={KEY} api_key=short", "api_key=01***ef api_key=***"),
        (f"a 'x?api_key={KEY}' b", "a 'x?api_key=01***ef' b"),
        (f'a "x?api_key={KEY}" b', 'a "x?api_key=01***ef" b'),
        (f"service_secret={KEY}&c=1", "service_secret=01***ef&c=1"),
        (f"next=%2Fx%3Fapi_key%3D{KEY}&c=1", "next=%2Fx%3Fapi_key%3D01***ef&c=1"),
        ("api_key=&c=1", "api_key=&c=1"),
        (f"ROBOFLOW_API_KEY={KEY}", "ROBOFLOW_API_KEY=01***ef"),
        (f'{{"api_key": "{KEY}"}}', '{"api_key": "01***ef"}'),
        (f"{{'api_key':'{KEY}', 'b': 1}}", "{'api_key':'01***ef', 'b': 1}"),
        ("body.api_key: Field required", "body.api_key: Field required"),
        (f"http://me:{KEY}@a.com/b@c", "http://a.com/b@c"),
        (f"https://{KEY}@a.com?d@e", "https://a.com?d@e"),
    ],
)
def test_every_key_in_a_text_is_masked(text: str, masked: str) -> None:
    assert deduct_api_key_from_string(text) == masked


SECRETS = st.text(min_size=5).map(lambda text: quote(text, safe="")).filter(lambda s: len(s) > 4)


@given(secret=SECRETS, before=st.sampled_from(["", "GET /a?b=c&", "{'url': 'x?"]))
def test_no_url_encoded_key_survives(secret: str, before: str) -> None:
    for name in ("api_key", "service_secret"):
        masked = deduct_api_key_from_string(f"{before}{name}={secret}")
        # What is left are the hints of two characters, and three stars between them.
        assert len(masked) <= len(before) + len(name) + 1 + 7
        assert secret not in masked.removeprefix(before).removeprefix(f"{name}=")


def test_a_match_of_another_pattern_is_masked_too() -> None:
    assert re.sub("api_key=.*", deduct_api_key, f"api_key={KEY}") == "api_key=01***ef"
    assert re.sub(KEY, deduct_api_key, KEY) == "01***ef"


def response(status: int, reason: object = "Not Found") -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.reason = reason  # type: ignore[assignment]
    answer.url = f"http://a.com/x?api_key={KEY}"
    answer._content = b"{}"
    answer.request = requests.Request(
        "POST", answer.url, json={"api_key": KEY}, headers={"Authorization": f"Bearer {KEY}"}
    ).prepare()
    return answer


@pytest.mark.parametrize("status", [200, 302, 399])
def test_a_status_below_400_raises_nothing(status: int) -> None:
    api_key_safe_raise_for_status(response(status))


@pytest.mark.parametrize(("status", "fault"), [(404, "Client"), (503, "Server")])
def test_an_error_status_raises_without_the_key(status: int, fault: str) -> None:
    answer = response(status)
    with pytest.raises(requests.HTTPError) as caught:
        api_key_safe_raise_for_status(answer)
    message = f"{status} {fault} Error: Not Found for url: http://a.com/x?api_key=01***ef"
    assert str(caught.value) == message
    assert caught.value.response.status_code == status
    assert KEY not in caught.value.response.url
    assert KEY not in repr(caught.value.request.headers) + str(caught.value.request.url)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("reason", "shown"), [("é".encode(), "é"), (None, "Error:  for")])
def test_reasons_may_be_bytes_or_missing(reason: object, shown: str) -> None:
    with pytest.raises(requests.HTTPError, match=shown):
        api_key_safe_raise_for_status(response(400, reason))


def test_images_are_put_under_their_key() -> None:
    payload: dict[str, Any] = {"a": 1}
    assert inject_images_into_payload(payload, []) == {"a": 1}
    x, y = ({"type": "base64", "value": value} for value in "xy")
    assert inject_images_into_payload(payload, [("x", None)]) is payload
    inject_images_into_payload(payload, [("x", None), ("y", 0.5)], key="subject")
    assert payload == {"a": 1, "image": x, "subject": [x, y]}


def test_nested_images_keep_their_nesting() -> None:
    payload = {"a": 1}
    nested = [[("x", None)], [("y", 0.5), ("z", None)], []]
    result = inject_nested_batches_of_images_into_payload(payload, nested, key="images")
    x, y, z = ({"type": "base64", "value": value} for value in "xyz")
    assert result == {"a": 1, "images": [[x], [y, z], []]}
    assert inject_nested_batches_of_images_into_payload({}, ("x", None)) == {"image": x}
    assert result is payload
