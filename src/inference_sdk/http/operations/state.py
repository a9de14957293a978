"""The settings a call is made with, frozen, and the parts of a request that follow from them.

Where the key travels, which headers and which query a request has: decided here, for every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from inference_sdk.http.operations.retries import RetryBudget
from inference_sdk.http.utils.request_building import (
    RequestData,
    execution_headers,
    header_value,
)
from inference_sdk.http.withheld import (
    KeepsSecrets,
    Withheld,
    environment_key,
    require,
    without_password,
)
from inference_sdk.utils.masking import remember, remember_url

JSON = "application/json"
DEFAULT_HEADERS = {"Content-Type": JSON}

API_KEY = "api_key"
MODEL_ID = "model_id"


@dataclass(frozen=True)
class ClientState(KeepsSecrets):
    """Everything a call depends on beside its arguments."""

    api_url: str
    api_key: str | None = field(repr=False)
    mode: HTTPClientMode
    model_id: str | None = None
    configuration: InferenceConfiguration = field(default_factory=InferenceConfiguration)
    further_urls: tuple[str, ...] | Withheld = ()
    """Of servers that do the same as the one at `api_url`."""
    named: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """Settings that the call itself names, as its options: its model has to know them."""
    retry_budget: RetryBudget = field(default_factory=RetryBudget, repr=False, compare=False)
    """Shared by all states of a client and of its copies."""

    def __post_init__(self) -> None:
        self.remember_secrets()

    def remember_secrets(self) -> None:
        """Have the secrets of this client masked, in whatever text they turn up from now on."""
        configuration = self.configuration
        remember(self.api_key, configuration.service_secret, hint=True)
        for url in self.api_urls:
            remember_url(url)
        remember_url(configuration.proxy)

    def _withheld(self) -> dict[str, Withheld | None]:
        return {
            "api_url": without_password(self.api_url),
            "further_urls": _without_passwords(self.further_urls),
            API_KEY: None if self.api_key is None else Withheld(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state[API_KEY], Withheld):
            state = {**state, API_KEY: environment_key() or state[API_KEY]}
        vars(self).update(state)
        self.remember_secrets()

    def require_secrets(self) -> None:
        """Refuse to call without the secrets that stayed behind when the client was pickled.

        Raises:
            APIKeyNotProvided: the key is missing.
            InvalidParameterError: a secret of the configuration, or the address's password.
        """
        require(self, self.configuration)

    @property
    def api_urls(self) -> tuple[str, ...]:
        """All servers; one of them gets a request."""
        further = () if isinstance(self.further_urls, Withheld) else self.further_urls
        return (self.api_url, *further)

    @property
    def hosts(self) -> str:
        """The servers, as messages name them."""
        return ", ".join(map(host_of, self.api_urls))

    def bound_to(self, api_url: str) -> ClientState:
        """For calls that concern one server, and would mean nothing to another."""
        return replace(self, api_url=api_url, further_urls=()) if self.further_urls else self

    @property
    def key_transport(self) -> ApiKeyTransport:
        return ApiKeyTransport.parse(self.configuration.api_key_transport)

    @property
    def _key_in_request(self) -> bool:
        return self.key_transport is not ApiKeyTransport.HEADER

    @property
    def _key_in_query(self) -> dict[str, Any]:
        return {API_KEY: self.api_key} if self._key_in_request and self.api_key else {}

    def headers(self, content_type: str | None = JSON) -> dict[str, str]:
        """Headers of a request with a body of this type; None for one without a body.

        Raises:
            InvalidParameterError: the key or the execution id cannot stand in a header.
        """
        headers = {**DEFAULT_HEADERS, "Content-Type": content_type} if content_type else {}
        if self.api_key and self.key_transport is not ApiKeyTransport.LEGACY:
            headers["Authorization"] = f"Bearer {header_value('The API key', self.api_key)}"
        return {**headers, **execution_headers()}

    def bare_url(self, path: str, **places: str) -> str:
        """Address of an endpoint without a query."""
        return self._address(path, places, {})

    def keyed_url(self, path: str) -> str:
        """As `bare_url`, with the key in the query in both modes."""
        return self._address(path, {}, self._key_in_query)

    def billed_url(self, path: str) -> str:
        """As `bare_url`, with what a v1 request to a model says of billing."""
        return self._address(path, {}, self._billing)

    def model_url(self, path: str, **places: str) -> str:
        """Address of a model's own endpoint: the key (in v0), billing, tags of the context."""
        configuration = self.configuration
        tagged = config.usage_source_tags.get()
        tags = configuration.to_source_parameters(include_origin=True) if tagged else {}
        key = self._key_in_query if self.mode is HTTPClientMode.V0 else {}
        return self._address(path, places, {**key, **self._billing, **tags})

    def model_body(self, **fields: Any) -> dict[str, Any]:
        """The JSON body for it: the key (in v1), the fields, and where the images come from."""
        return self.body(**fields, **self.configuration.to_source_parameters())

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
                f"{self.mode.value} with {self.hosts}. Call select_api_v1() first, or connect "
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
                f"{self.hosts} needs an API key. Pass one to InferenceHTTPClient as api_key, or set "
                "the environment variable ROBOFLOW_API_KEY."
            )

    def post_to_model(self, path: str, fields: Mapping[str, Any]) -> RequestData:
        """A JSON request without images to a model's own endpoint."""
        return self.json_request(self.model_url(path), self.model_body(**fields))

    def json_request(self, url: str, payload: dict[str, Any] | None) -> RequestData:
        return RequestData(
            url=url,
            request_elements=0,
            headers=self.headers(None if payload is None else JSON),
            parameters=None,
            data=None,
            payload=payload,
            image_scaling_factors=[],
        )

    @property
    def _billing(self) -> dict[str, Any]:
        return self.configuration.to_api_v1_query_parameters() or {}

    def _address(self, path: str, places: Mapping[str, str], query: Mapping[str, Any]) -> str:
        filled = path.format(**{name: _quote(name, value) for name, value in places.items()})
        address = f"{self.api_url}{filled}"
        return f"{address}?{urlencode(query)}" if query else address


def _without_passwords(urls: tuple[str, ...] | Withheld) -> Withheld | None:
    if isinstance(urls, Withheld):
        return urls
    bare = [without_password(url) or url for url in urls]
    return Withheld(" ".join(bare)) if any(isinstance(url, Withheld) for url in bare) else None


def _quote(name: str, value: object) -> str:
    text = str(value)  # whoever has an id as a UUID or a number may pass it as it is
    if {".", ".."} & set(text.split("/")):
        # Senders resolve these as in a file system: the request would go to another endpoint.
        raise InvalidParameterError(
            f"{name} is {text!r}, but must not hold the parts '.' and '..'."
        )
    # Of what is filled into paths, only model ids have parts of their own.
    return quote(text, safe="/" if name == MODEL_ID else "")
