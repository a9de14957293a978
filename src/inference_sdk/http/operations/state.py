"""The settings a call is made with, frozen, and the parts of a request that follow from them.

Where the key travels, which headers and which query a request has: decided here, for every call.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from inference_sdk import config
from inference_sdk.http.entities import ApiKeyTransport, HTTPClientMode, InferenceConfiguration
from inference_sdk.http.errors import (
    APIKeyNotProvided,
    InvalidParameterError,
    ModelNotSelectedError,
    WrongClientModeError,
)
from inference_sdk.http.faults import host_of
from inference_sdk.http.utils.request_building import RequestData

DEFAULT_HEADERS = {"Content-Type": "application/json"}

API_KEY = "api_key"
MODEL_ID = "model_id"

_INTERNAL_SECRET_VARIABLE = "ROBOFLOW_INTERNAL_SERVICE_SECRET"  # noqa: S105 - its name


@dataclass(frozen=True)
class ClientState:
    """Everything a call depends on beside its arguments."""

    api_url: str
    api_key: str | None = field(repr=False)
    mode: HTTPClientMode
    model_id: str | None = None
    configuration: InferenceConfiguration = field(default_factory=InferenceConfiguration)

    @property
    def key_transport(self) -> ApiKeyTransport:
        return ApiKeyTransport.parse(self.configuration.api_key_transport)

    @property
    def _key_in_request(self) -> bool:
        return self.key_transport is not ApiKeyTransport.HEADER

    @property
    def _key_in_query(self) -> dict[str, Any]:
        return {API_KEY: self.api_key} if self._key_in_request and self.api_key else {}

    def headers(self, *, images: bool = False) -> dict[str, str]:
        """Headers of a request; those with `images` may carry the internal secret too.

        Raises:
            InvalidParameterError: the key or the execution id cannot stand in a header.
        """
        headers = dict(DEFAULT_HEADERS)
        if self.api_key and self.key_transport is not ApiKeyTransport.LEGACY:
            headers["Authorization"] = f"Bearer {_header_value('The API key', self.api_key)}"
        execution_id = config.execution_id.get()
        if execution_id:
            headers[config.EXECUTION_ID_HEADER] = _header_value("config.execution_id", execution_id)
            secret = os.environ.get(_INTERNAL_SECRET_VARIABLE)
            if images and config.ENABLE_INTERNAL_REMOTE_EXEC_HEADER and secret:
                headers[config.INTERNAL_REMOTE_EXEC_REQ_HEADER] = secret
        return headers

    def bare_url(self, path: str, **places: str) -> str:
        """Address of an endpoint without a query."""
        return self._address(path, places, {})

    def url(self, path: str, **places: str) -> str:
        """Address of an endpoint: the key in its query in v0, billing in v1."""
        query = self._key_in_query if self.mode is HTTPClientMode.V0 else self._billing()
        return self._address(path, places, query)

    def keyed_url(self, path: str) -> str:
        """As `url`, for the calls that carry the key in the query in both modes."""
        return self._address(path, {}, {**self._key_in_query, **self._billing()})

    def unkeyed_url(self, path: str, **places: str) -> str:
        """As `url`, for the calls that carry the key in the body in both modes."""
        return self._address(path, places, self._billing())

    def v0_query(self, **parameters: Any) -> dict[str, Any]:
        """Query of a v0 inference: the key and the parameters."""
        return {**self._key_in_query, **parameters}

    def body(self, **fields: Any) -> dict[str, Any]:
        """A JSON body: the key (in v1) and the fields."""
        if self.mode is HTTPClientMode.V0:
            return fields
        return self.keyed_body(**fields)

    def keyed_body(self, **fields: Any) -> dict[str, Any]:
        """As `body`, for the calls that carry the key in both modes."""
        return {**({API_KEY: self.api_key} if self._key_in_request else {}), **fields}

    def require_v1(self, call: str) -> None:
        """Refuse a call that only API v1 serves.

        Raises:
            WrongClientModeError: the client is in v0 mode.
        """
        if self.mode is not HTTPClientMode.V1:
            raise WrongClientModeError(
                f"{call} is served by API v1 only, but this client speaks "
                f"{self.mode.value} with {host_of(self.api_url)}. Call select_api_v1() first, or connect "
                "to a server of your own."
            )

    def require_model(self, model_id: str | None) -> str:
        """The model named in the call, else the selected one.

        Raises:
            ModelNotSelectedError: there is neither.
        """
        model = model_id or self.model_id
        if not model:
            raise ModelNotSelectedError(
                "No model was named and none is selected. Pass model_id='coco/3', or call "
                "select_model('coco/3') first."
            )
        return model

    def require_key(self) -> None:
        """Refuse a call that cannot do without a key.

        Raises:
            APIKeyNotProvided: the client has none.
        """
        if self.api_key is None:
            raise APIKeyNotProvided(
                f"{host_of(self.api_url)} needs an API key. Pass api_key=… to InferenceHTTPClient, or set "
                "the environment variable ROBOFLOW_API_KEY."
            )

    def post(
        self,
        path: str,
        fields: Mapping[str, Any],
        **places: str,
    ) -> RequestData:
        """A JSON request without images."""
        return self.json_request(self.url(path, **places), self.body(**fields))

    def json_request(self, url: str, payload: dict[str, Any] | None) -> RequestData:
        return RequestData(
            url=url,
            request_elements=0,
            headers=self.headers(),
            parameters=None,
            data=None,
            payload=payload,
            image_scaling_factors=[],
        )

    def _billing(self) -> dict[str, Any]:
        if self.mode is HTTPClientMode.V0:
            return {}
        return self.configuration.to_api_v1_query_parameters() or {}

    def _address(self, path: str, places: Mapping[str, str], query: Mapping[str, Any]) -> str:
        filled = path.format(**{name: _quote(name, value) for name, value in places.items()})
        address = f"{self.api_url}{filled}"
        return f"{address}?{urlencode(query)}" if query else address


def _quote(name: str, value: object) -> str:
    text = str(value)  # whoever has an id as a UUID or a number may pass it as it is
    if {".", ".."} & set(text.split("/")):
        # Senders resolve these as in a file system: the request would go to another endpoint.
        raise InvalidParameterError(
            f"{name} is {text!r}, but must not hold the parts '.' and '..'."
        )
    # Of what is filled into paths, only model ids have parts of their own.
    return quote(text, safe="/" if name == MODEL_ID else "")


def _header_value(name: str, value: str) -> str:
    # Line breaks would begin another header, and beyond ASCII the two senders disagree.
    if value.isascii() and value.isprintable() and value == value.strip():
        return value
    raise InvalidParameterError(
        f"{name} cannot be sent in a header: it begins or ends with a space, or holds a line break "
        "or another character that is not printable ASCII. Was it read from a file? Then strip() it."
    )
