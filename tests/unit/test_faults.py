"""What the libraries' errors mean, told without their texts, which quote keys."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from typing import Any
from unittest.mock import MagicMock

import aiohttp
import pytest
import requests
import urllib3
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from inference_sdk.http import faults
from inference_sdk.http.call_errors import as_client_error, wrap_errors, wrap_errors_async
from inference_sdk.http.errors import (
    HTTPCallErrorError,
    HTTPClientError,
    HTTPConnectTimeoutError,
    HTTPServerConnectionError,
    HTTPServerDisconnectedError,
    HTTPServerTimeoutError,
    InvalidParameterError,
    InvalidServerResponseError,
    RetryError,
)

KEY = "0123456789-the-key"
ADDRESS = f"http://host:9001/info?api_key={KEY}"

HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
REQUEST = aiohttp.RequestInfo(URL(ADDRESS), "GET", HEADERS, URL(ADDRESS))


def response_error(status: int, message: str = "Not Found") -> aiohttp.ClientResponseError:
    return aiohttp.ClientResponseError(REQUEST, (), status=status, message=message)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (requests.exceptions.InvalidSchema(ADDRESS), InvalidParameterError, "no http(s) address"),
        (aiohttp.InvalidURL(ADDRESS), InvalidParameterError, "no http(s) address"),
        (requests.exceptions.SSLError("x"), HTTPClientError, "No secure connection"),
        (ssl.SSLCertVerificationError("bad"), HTTPClientError, "No secure connection"),
        (ssl.SSLEOFError("cut"), HTTPServerConnectionError, "Could not connect"),
        (requests.exceptions.ProxyError("x"), HTTPServerConnectionError, "The proxy does not"),
        (requests.exceptions.ConnectTimeout("x"), HTTPConnectTimeoutError, "Could not connect"),
        (aiohttp.ConnectionTimeoutError("x"), HTTPConnectTimeoutError, "Could not connect"),
        (requests.exceptions.ReadTimeout("x"), HTTPServerTimeoutError, "within 1.5 s"),
        (aiohttp.SocketTimeoutError("x"), HTTPServerTimeoutError, "within 1.5 s"),
        (asyncio.TimeoutError(), HTTPServerTimeoutError, "within 1.5 s"),
        (TimeoutError("timed out"), HTTPServerTimeoutError, "within 1.5 s"),
        (aiohttp.ClientPayloadError("x"), HTTPServerConnectionError, "before the answer was"),
        (requests.exceptions.ContentDecodingError("x"), InvalidServerResponseError, "unpacked"),
        (requests.exceptions.ChunkedEncodingError(), HTTPServerConnectionError, "before the answ"),
        (aiohttp.ServerDisconnectedError(), HTTPServerDisconnectedError, "without an answer"),
        (ConnectionResetError(104, "reset"), HTTPServerDisconnectedError, "without an answer"),
        (BrokenPipeError(32, "pipe"), HTTPServerDisconnectedError, "without an answer"),
        (
            requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("aborted", http.client.RemoteDisconnected("x"))
            ),
            HTTPServerDisconnectedError,
            "without an answer",
        ),
        (http.client.BadStatusLine("SSH-2.0"), InvalidServerResponseError, "in HTTP: SSH-2.0"),
        (response_error(400), InvalidServerResponseError, "in HTTP"),
        (requests.exceptions.TooManyRedirects(), InvalidServerResponseError, "again and again"),
        (aiohttp.TooManyRedirects(REQUEST, ()), InvalidServerResponseError, "again and again"),
        (OSError(113, "No route to host"), HTTPServerConnectionError, "No route to host"),
        (aiohttp.ClientError("x"), HTTPServerConnectionError, "ClientError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)  # fmt: skip
def test_translate(error: Exception, kind: type[HTTPClientError], text: str) -> None:
    failure = faults.translate(error, ADDRESS, 1.5)
    assert type(failure) is kind
    assert text in str(failure)
    assert "http://host:9001" in str(failure)
    assert KEY not in str(failure)


def test_a_time_out_without_a_limit() -> None:
    assert "in time" in str(faults.translate(TimeoutError(), ADDRESS))


def test_the_cause_is_the_systems_error() -> None:
    root = ConnectionRefusedError(111, "Connection refused")
    wrapped = requests.exceptions.ConnectionError(
        caused(urllib3.exceptions.HTTPError(ADDRESS), root)
    )
    failure = faults.translate(wrapped, ADDRESS)
    assert failure.__cause__ is root
    assert faults.root_of(aiohttp.ClientError("x")) is None


def test_a_chain_that_holds_itself() -> None:
    error = aiohttp.ClientError("x")
    error.args = (error,)
    assert faults.root_of(error) is None


def test_a_system_error_that_quotes_a_key() -> None:
    failure = faults.translate(OSError(f"GET /info?api_key={KEY} failed"), ADDRESS)
    assert KEY not in str(failure)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (ADDRESS, "http://host:9001"),
        ("https://me:password@host/path", "https://host"),
        ("host:9001/path", "host://"),
        ("localhost/path?api_key=1", "localhost/path"),
        ("//host/path", "host"),
    ],
)
def test_host_of(url: str, host: str) -> None:
    assert faults.host_of(url) == host


# -- the decorators for users' own calls -----------------------------------------------------------


def raised_by_wrapped(error: Exception, is_async: bool) -> Exception:
    @wrap_errors
    def call() -> None:
        raise error

    @wrap_errors_async
    async def call_async() -> None:
        raise error

    with pytest.raises(Exception) as caught:
        asyncio.run(call_async()) if is_async else call()
    return caught.value


both_wrappers = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def requests_error(status: int, content: bytes) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.reason = "Not Found"
    response.url = ADDRESS
    response._content = content
    return requests.HTTPError(f"{status} for url: {ADDRESS}", response=response)


@both_wrappers
def test_wrapped_answers_of_requests(is_async: bool) -> None:
    error = raised_by_wrapped(requests_error(404, b'{"message": "no model"}'), is_async)
    assert isinstance(error, HTTPCallErrorError)
    assert (error.status_code, error.api_message) == (404, "no model")
    assert type(error.__cause__) is not requests.HTTPError  # a masked copy of it
    assert isinstance(error.__cause__, requests.HTTPError)
    for told in (error, error.__cause__, error.__cause__.response.__dict__):
        assert KEY not in repr(told)
    assert error.__context__ is None


@both_wrappers
def test_wrapped_answers_of_aiohttp(is_async: bool) -> None:
    message = f"Not Found: api_key={KEY}"
    error = raised_by_wrapped(response_error(404, message), is_async)
    assert isinstance(error, HTTPCallErrorError)
    assert error.status_code == 404
    assert error.api_message.startswith("Not Found")
    assert KEY not in repr(error)


@both_wrappers
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectionError("x"), HTTPServerConnectionError),
        (requests.ReadTimeout("x"), HTTPServerTimeoutError),
        (aiohttp.ServerDisconnectedError(), HTTPServerDisconnectedError),
        (ConnectionRefusedError(111, "refused"), HTTPServerDisconnectedError),
        (TimeoutError("slow"), HTTPServerTimeoutError),
        (asyncio.TimeoutError(), HTTPServerTimeoutError),
        (urllib3.exceptions.LocationParseError(ADDRESS), HTTPServerConnectionError),
        (RetryError("no answer"), HTTPClientError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_wrapped_connections(error: Exception, kind: type[Exception], is_async: bool) -> None:
    raised = raised_by_wrapped(error, is_async)
    assert isinstance(raised, kind)
    assert KEY not in str(raised)


@both_wrappers
@pytest.mark.parametrize(
    "error", [FileNotFoundError("mine"), ValueError("mine"), HTTPClientError("ours"), KeyError(1)]
)
def test_other_errors_stay_as_they_are(error: Exception, is_async: bool) -> None:
    assert raised_by_wrapped(error, is_async) is error


def test_retries_that_were_answered() -> None:
    error = as_client_error(RetryError(f"tried {ADDRESS}", status_code=503))
    assert isinstance(error, HTTPCallErrorError)
    assert (error.status_code, error.api_message) == (503, "N/A")
    assert KEY not in repr(error)


def test_an_http_error_without_a_bad_status() -> None:
    assert type(as_client_error(requests_error(200, b""))) is HTTPClientError


def test_the_host_is_named_where_the_error_knows_it() -> None:
    request = requests.Request("GET", ADDRESS).prepare()
    error = as_client_error(requests.ConnectionError("x", request=request))
    assert "http://host:9001" in str(error)
    assert "the server" in str(as_client_error(requests.ConnectionError("x")))


def test_wrapping_keeps_names_and_results() -> None:
    @wrap_errors
    def twice(number: int) -> int:
        """Doubles."""
        return 2 * number

    @wrap_errors_async
    async def twice_async(number: int) -> int:
        """Doubles, too."""
        return 2 * number

    assert twice(21) == asyncio.run(twice_async(21)) == 42
    functions: list[Any] = [twice, twice_async]
    assert [f.__name__ for f in functions] == ["twice", "twice_async"]
    assert [f.__doc__ for f in functions] == ["Doubles.", "Doubles, too."]


def test_a_stand_in_for_an_answer_may_know_its_json_only() -> None:
    answer = MagicMock(status_code=404, reason="Not Found", url=ADDRESS)
    answer.json.return_value = {"message": "no such model"}
    error = as_client_error(requests.HTTPError(response=answer))
    assert isinstance(error, HTTPCallErrorError)
    assert (error.status_code, error.api_message) == (404, "no such model")
