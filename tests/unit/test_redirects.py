"""Which redirects are followed: never one that takes the key to somebody else."""

from __future__ import annotations

import pytest

from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.transport.redirects import judge_redirect, refuse_elsewhere


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://host/a", "/b"),
        ("http://host/a", "b?c=d"),
        ("http://host/a", ""),
        ("http://host/a", "http://host/b"),
        ("http://host/a", "http://HOST:80/b"),
        ("http://host/a", "//host/b"),
        ("https://host/a", "https://host:443/b"),
        ("http://host:9001/a", "http://host:9001/b"),
        ("http://host/a", "https://host/b"),
        ("http://host:80/a", "https://host:443/b"),
        ("http://host:9001/a", "https://host:9001/b"),
        ("http://[::1]:9001/a", "http://[::1]:9001/b"),
    ],
)
def test_followed(url: str, location: str) -> None:
    refuse_elsewhere(url, location)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://host/a", "http://other/a"),
        ("http://host/a", "//other/a"),
        ("http://host/a", "http://host.other/a"),
        ("http://host/a", "http://host@other/a"),
        ("http://host/a", "http://host:81/a"),
        ("https://host/a", "http://host/a"),
        ("https://host/a", "http://host:443/a"),
        ("http://host:9001/a", "http://host:9002/a"),
        ("http://host:9001/a", "https://host/a"),
        ("http://host:9001/a", "http://host/a"),
        ("http://host/a", "ftp://host/a"),
        ("http://127.0.0.1/a", "http://localhost/a"),
        ("http://host/a", "http://host:port/a"),
        ("http://host/a", "http://host:99999/a"),
        ("http://host/a", "http://[host/a"),
    ],
)
def test_refused(url: str, location: str) -> None:
    with pytest.raises(HTTPClientError):
        refuse_elsewhere(url, location)


def test_the_message_names_both_and_no_key() -> None:
    with pytest.raises(HTTPClientError) as caught:
        refuse_elsewhere(
            "http://host:1/a?api_key=0123456789", "http://me:pw@other:2/?api_key=98765432"
        )
    assert "http://host:1 redirects to http://other:2." in str(caught.value)
    for secret in ("0123456789", "98765432", "pw"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_drop_the_body_is_refused(status: int) -> None:
    with pytest.raises(HTTPClientError, match=r"http://host/a moved to http://host/b"):
        judge_redirect("http://host/a?api_key=0123456789", "/b", "POST", status)


@pytest.mark.parametrize(("method", "status"), [("POST", 307), ("POST", 308), ("GET", 302)])
def test_a_redirect_that_keeps_the_request_is_followed(method: str, status: int) -> None:
    judge_redirect("http://host/a", "/b", method, status)
