"""`InferenceHTTPClient`: the way from a program to an inference server.

A method is its signature, its documentation, and the name of the operation it carries out; what
is sent and what is made of the answer stands in `operations`, once for sync and async.

The loaders are imported by name and looked up here at each call: users' tests replace them here.
"""

from __future__ import annotations

import threading
from collections.abc import (
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from inference_sdk.http.answers import SUCCESSFUL_STATUS_CODE
from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_errors import wrap_errors, wrap_errors_async
from inference_sdk.http.client_bare_requests import BareRequests
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.client_embeddings import EmbeddingCalls
from inference_sdk.http.client_foundation_models import FoundationModelCalls
from inference_sdk.http.client_inference import InferenceCalls
from inference_sdk.http.client_segmentation import SegmentationCalls
from inference_sdk.http.client_workflows import (
    BufferConsumptionStrategy,
    BufferFillingStrategy,
    WorkflowCalls,
)
from inference_sdk.http.entities import (
    ApiKeyTransport,
    HTTPClientMode,
    InferenceConfiguration,
    ModelDescription,
    PingResult,
    RegisteredModels,
    ServerInfo,
)
from inference_sdk.http.operations import registry
from inference_sdk.http.operations.embeddings import CLIP_ARGUMENT_TYPES
from inference_sdk.http.operations.inference import (
    NEW_INFERENCE_ENDPOINTS,
    VIDEO_INFERENCE_ENDPOINTS,
)
from inference_sdk.http.operations.loading import load_all, load_nested
from inference_sdk.http.operations.ping import ping
from inference_sdk.http.operations.state import DEFAULT_HEADERS
from inference_sdk.http.steps import run, run_async
from inference_sdk.http.utils.frames import frames_of
from inference_sdk.http.utils.loaders import (
    load_nested_batches_of_inference_input,
    load_nested_batches_of_inference_input_async,
    load_static_inference_input,
    load_static_inference_input_async,
    load_stream_inference_input,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from inference_sdk.webrtc.client import WebRTCClient

__all__ = [
    "CLIP_ARGUMENT_TYPES",
    "DEFAULT_HEADERS",
    "NEW_INFERENCE_ENDPOINTS",
    "SUCCESSFUL_STATUS_CODE",
    "VIDEO_INFERENCE_ENDPOINTS",
    "BufferConsumptionStrategy",
    "BufferFillingStrategy",
    "InferenceHTTPClient",
    "wrap_errors",
    "wrap_errors_async",
]

_MAKING_WEBRTC = threading.Lock()
"""Of the module, not of a client: a client that holds a lock could not be pickled."""


@boundary
class InferenceHTTPClient(
    InferenceCalls,
    FoundationModelCalls,
    EmbeddingCalls,
    SegmentationCalls,
    WorkflowCalls,
    BareRequests,
    ClientBase,
):
    """Client of an inference server: detection, segmentation, OCR, embeddings, workflows.

    Every call `name` has an async twin `name_async`, documented here once for all: it takes the
    same arguments, gives the same results and raises the same errors, and is awaited (or, where
    `name` gives an iterator, iterated with `async for`). What it has to read or encode it does in
    threads, so the event loop goes on. Only what differs beyond that stands with the twin.

    Connections are kept between calls, threads and event loops; a client is cheap to
    keep and wasteful to make for each call.

    Example:
        >>> client = InferenceHTTPClient("http://localhost:9001")
        >>> result = client.infer("street.jpg", model_id="coco/3")
        >>> [prediction["class"] for prediction in result["predictions"]]
        ['person', 'bicycle']

    Raises:
        HTTPClientError: of any call; `inference_sdk.http.errors` draws the tree.
    """

    def __init__(self, api_url: str | Sequence[str], api_key: str | None = None) -> None:
        super().__init__(api_url, api_key)
        self._webrtc: tuple[tuple[ApiKeyTransport, str | None], WebRTCClient] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_webrtc": None}

    @classmethod
    def init(cls, api_url: str | Sequence[str], api_key: str | None = None) -> Self:
        """The same as the constructor.

        Args:
            api_url: address of the server, or a list of them.
            api_key: None takes the environment variable `ROBOFLOW_API_KEY`, if set.

        Returns:
            A client.

        Raises:
            InvalidParameterError: an address is none.
        """
        return cls(api_url=api_url, api_key=api_key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    @property
    def webrtc(self) -> WebRTCClient:
        """Live streams; made on first use, which warns that it is experimental.

        Made anew when the key is another, or has to travel another way than before.
        """
        from inference_sdk.webrtc.client import WebRTCClient

        with _MAKING_WEBRTC:
            state = self._state
            state.require_secrets()
            made_with = state.key_transport, state.api_key
            if self._webrtc is None or self._webrtc[0] != made_with:
                made = WebRTCClient(
                    state.api_url, state.api_key, api_key_transport=state.key_transport.value
                )
                self._webrtc = made_with, made
            return self._webrtc[1]

    # -- settings ------------------------------------------------------------------------------

    def configure(self, inference_configuration: InferenceConfiguration) -> Self:
        """Set how the client calls; returns the client.

        Args:
            inference_configuration: takes the place of the one there is.

        Returns:
            The client itself.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._change(configuration=inference_configuration)

    def use_configuration(
        self, inference_configuration: InferenceConfiguration
    ) -> AbstractContextManager[Self]:
        """Set how the client calls within a `with` block.

        Args:
            inference_configuration: holds until the block ends.

        Returns:
            A context manager that gives the client.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._changed("configuration", inference_configuration)

    def select_api_v0(self) -> Self:
        """Speak the API of Roboflow's hosted models; returns the client.

        Returns:
            The client itself.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._change(mode=HTTPClientMode.V0)

    def select_api_v1(self) -> Self:
        """Speak the API of an inference server; returns the client.

        Returns:
            The client itself.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._change(mode=HTTPClientMode.V1)

    def use_api_v0(self) -> AbstractContextManager[Self]:
        """As `select_api_v0`, within a `with` block.

        Returns:
            A context manager that gives the client.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._changed("mode", HTTPClientMode.V0)

    def use_api_v1(self) -> AbstractContextManager[Self]:
        """As `select_api_v1`, within a `with` block.

        Returns:
            A context manager that gives the client.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._changed("mode", HTTPClientMode.V1)

    def select_model(self, model_id: str) -> Self:
        """Set the model of calls that name none; returns the client.

        Args:
            model_id: such as "coco/3", or an alias such as "yolov8n-640".

        Returns:
            The client itself.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._change(model_id=model_id)

    def use_model(self, model_id: str) -> AbstractContextManager[Self]:
        """As `select_model`, within a `with` block.

        Args:
            model_id: such as "coco/3", or an alias such as "yolov8n-640".

        Returns:
            A context manager that gives the client.

        Raises:
            HTTPClientError: this client was made by `with_options`, and does not change.
        """
        return self._changed("model_id", model_id)

    # -- the server and its models -------------------------------------------------------------

    def get_server_info(self) -> ServerInfo:
        """Name, version and id of the server.

        Returns:
            What the server says that it is; see `ServerInfo`.

        Raises:
            HTTPClientError: there was no answer, or the server refused.
        """
        return self._run(registry.get_server_info(self._state))

    async def get_server_info_async(self) -> ServerInfo:
        """The async twin of `get_server_info`."""
        return await self._run_async(registry.get_server_info(self._state))

    def ping(self, timeout: float = 10.0) -> PingResult:
        """Whether the server is there, its version, whether it takes the key, and how fast it is.

        Asks once, without further tries; what is wrong is said in the result, not raised.

        Args:
            timeout: seconds of silence after which the server counts as not reached.

        Returns:
            Of several servers, the worst: one with a problem, else the slowest.

        Raises:
            InvalidParameterError: `timeout` is not above 0.

        Example:
            >>> result = client.ping()
            >>> print(result.problem or f"version {result.version}, {result.latency:.3f} s")
        """
        client = self.with_options(timeout=timeout, max_tries=1)
        return client._run(ping(client._state))

    async def ping_async(self, timeout: float = 10.0) -> PingResult:
        """The async twin of `ping`."""
        client = self.with_options(timeout=timeout, max_tries=1)
        return await client._run_async(ping(client._state))

    def list_loaded_models(self) -> RegisteredModels:
        """Models that the server has loaded.

        Returns:
            Their ids, tasks and input sizes, in `models`.

        Raises:
            WrongClientModeError: API v0 is selected; so do the calls below.
        """
        return self._run(registry.list_loaded_models(self._state))

    async def list_loaded_models_async(self) -> RegisteredModels:
        """The async twin of `list_loaded_models`."""
        return await self._run_async(registry.list_loaded_models(self._state))

    def load_model(self, model_id: str, set_as_default: bool = False) -> RegisteredModels:
        """Have the server load a model, and select it when `set_as_default`.

        Args:
            model_id: such as "coco/3", or an alias such as "yolov8n-640".
            set_as_default: select it for calls that name no model.

        Returns:
            The models that are loaded then.

        Raises:
            WrongClientModeError: API v0 is selected.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(registry.load_model(self._state, model_id, set_as_default))

    async def load_model_async(
        self, model_id: str, set_as_default: bool = False
    ) -> RegisteredModels:
        """The async twin of `load_model`."""
        return await self._run_async(registry.load_model(self._state, model_id, set_as_default))

    def unload_model(self, model_id: str) -> RegisteredModels:
        """Have the server drop a model; if it is the selected one, none is selected after.

        Args:
            model_id: such as "coco/3", or an alias such as "yolov8n-640".

        Returns:
            The models that are still loaded.

        Raises:
            WrongClientModeError: API v0 is selected.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(registry.unload_model(self._state, model_id))

    async def unload_model_async(self, model_id: str) -> RegisteredModels:
        """The async twin of `unload_model`."""
        return await self._run_async(registry.unload_model(self._state, model_id))

    def unload_all_models(self) -> RegisteredModels:
        """Have the server drop all models; none is selected after.

        Returns:
            The models that are still loaded: none.

        Raises:
            WrongClientModeError: API v0 is selected.
            HTTPClientError: there was no answer, or the server refused.
        """
        return self._run(registry.unload_all_models(self._state))

    async def unload_all_models_async(self) -> RegisteredModels:
        """The async twin of `unload_all_models`."""
        return await self._run_async(registry.unload_all_models(self._state))

    def get_model_description(self, model_id: str, allow_loading: bool = True) -> ModelDescription:
        """Task and input size of a model, which is loaded first where allowed.

        Args:
            model_id: such as "coco/3", or an alias such as "yolov8n-640".
            allow_loading: have the server load a model that it does not list.

        Returns:
            Its task, and the pixels of its input where the server says them.

        Raises:
            ModelNotInitializedError: the server does not have it.
        """
        return self._run(registry.get_model_description(self._state, model_id, allow_loading))

    async def get_model_description_async(
        self, model_id: str, allow_loading: bool = True
    ) -> ModelDescription:
        """The async twin of `get_model_description`."""
        return await self._run_async(
            registry.get_model_description(self._state, model_id, allow_loading)
        )

    # -- what operations ask of their client ---------------------------------------------------

    def _frames(self, input_uri: str, keep_errors: bool) -> Iterable[tuple[str | int, Any]]:
        """Frames in BGR; with `keep_errors` also what came of those that could not be read."""
        extensions = self.inference_configuration.image_extensions_for_directory_scan
        if keep_errors:
            return frames_of(input_uri, extensions)
        return load_stream_inference_input(input_uri=input_uri, image_extensions=extensions)

    def load_images(self, arguments: Mapping[str, Any]) -> Any:
        """Load images for an operation; by the documented loader, unless encoding is chosen.

        Args:
            arguments: `inference_input`, and `max_height` and `max_width` in pixels where it is to
                be
                scaled down.

        Returns:
            (base64, scaling factor or None) of each image, in order.

        Raises:
            EncodingError: an image does not decode.
            InvalidInputFormatError: an input is no image.
        """
        if self._encodes_by_default:
            return load_static_inference_input(**arguments)
        return run(load_all(**self._preparation(arguments)), self)

    async def load_images_async(self, arguments: Mapping[str, Any]) -> Any:
        """The async twin of `load_images`."""
        if self._encodes_by_default:
            return await load_static_inference_input_async(**arguments)
        return await run_async(load_all(**self._preparation(arguments)), self)

    def load_nested_images(self, arguments: Mapping[str, Any]) -> Any:
        """As `load_images`, keeping the nesting.

        Args:
            arguments: as of `load_images`.

        Returns:
            The same pairs, in lists nested as the input's.

        Raises:
            EncodingError: an image does not decode.
            InvalidInputFormatError: an input is no image.
        """
        if self._encodes_by_default:
            return load_nested_batches_of_inference_input(**arguments)
        return run(load_nested(**self._preparation(arguments)), self)

    async def load_nested_images_async(self, arguments: Mapping[str, Any]) -> Any:
        """The async twin of `load_nested_images`."""
        if self._encodes_by_default:
            return await load_nested_batches_of_inference_input_async(**arguments)
        return await run_async(load_nested(**self._preparation(arguments)), self)
