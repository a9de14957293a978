"""Sending through `requests`, for whoever listens in there; and answers as it gives them.

See `interception`. What reaches the adapter after all goes over our own connections.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from inference_sdk.http.answers import Answer
from inference_sdk.http.entities import RequestMethod
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.transport.interception import adapters_are_intercepted
from inference_sdk.http.transport.json_body import encode_json
from inference_sdk.http.transport.query import query_values
from inference_sdk.http.transport.redirects import judge_redirect
from inference_sdk.http.utils.masked_copies import text_of
from inference_sdk.http.utils.request_building import RequestData
from inference_sdk.utils.masking import guard_library_logs

ERRORS = (requests.RequestException, OSError)

Send = Callable[[RequestData], Answer]
"""Sends over our own connections."""

_OURS = frozenset({"accept-encoding", "connection", "content-length", "host"})
"""Headers that belong to whoever speaks to the server: to our own connections."""


class _Adapter(HTTPAdapter):
    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        if adapters_are_intercepted():
            return super().send(request, *args, **kwargs)
        return as_response(self._send(_with_what_was_added(request)), request)


def _with_what_was_added(request: requests.PreparedRequest) -> RequestData:
    """What is sent: whoever listened in may have added headers, such as those of a trace."""
    added = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
    body: Any = request.body
    return RequestData(
        url=request.url or "",
        request_elements=0,
        headers=added,
        parameters=None,
        data=body,
        payload=None,
        image_scaling_factors=[],
    )


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        location = super().get_redirect_target(resp)
        if location is not None:
            try:
                judge_redirect(resp.url, location, resp.request.method or "", resp.status_code)
            except HTTPClientError:
                resp.close()
                raise
        return location


def send(
    request: RequestData,
    method: RequestMethod,
    timeout: tuple[float | None, float | None],
    settings: dict[str, Any],
    send_it: Send,
) -> Answer:
    """Send once; the answer is read to its end.

    Raises:
        requests.RequestException: there was no complete answer.
        HTTPClientError: the same, from our own connections.
    """
    guard_library_logs(("requests", "urllib3", "charset_normalizer"))
    with _Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(send_it))
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # The environment is read by `connection_settings`.
        session.trust_env = False
        response = session.send(_prepared(session, request, method), timeout=timeout, **settings)
    return Answer(
        status=response.status_code,
        reason=text_of(response.reason),
        url=response.url,
        headers=response.headers,
        content=response.content,
        response=response,
    )


def _prepared(
    session: requests.Session, request: RequestData, method: RequestMethod
) -> requests.PreparedRequest:
    data: Any = request.data if request.payload is None else encode_json(request.payload)
    prepared = requests.PreparedRequest()
    prepared.prepare(
        method=method.value.upper(),
        url=request.url,
        headers={**session.headers, **(request.headers or {})},
        params=query_values(request.parameters),
        data=data.encode() if isinstance(data, str) else data,
    )
    return prepared


def as_response(
    answer: Answer, request: requests.PreparedRequest | None = None
) -> requests.Response:
    """An answer as `requests` gives it."""
    if answer.response is not None:
        return answer.response
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    response.url = answer.url
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response._content = answer.content
    response._content_consumed = True  # type: ignore[attr-defined]
    if request is not None:
        response.request = request
    return response


def response_to(request: RequestData, method: RequestMethod, answer: Answer) -> requests.Response:
    """The answer to a request, with the request, as `requests` gives it."""
    if answer.response is not None:
        return answer.response
    with requests.Session() as session:
        return as_response(answer, _prepared(session, request, method))
