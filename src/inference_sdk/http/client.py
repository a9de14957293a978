"""`InferenceHTTPClient`: the way from a program to an inference server.

A method is its signature, its documentation, and the name of the operation it carries out; what
is sent and what is made of the answer stands in `operations`, once for sync and async.

The loaders are imported by name and looked up here at each call: users' tests replace them here.
"""

from __future__ import annotations

import threading
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

from inference_sdk.http import pipeline
from inference_sdk.http.answers import SUCCESSFUL_STATUS_CODE
from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_errors import wrap_errors, wrap_errors_async
from inference_sdk.http.client_bare_requests import BareRequests
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.client_embeddings import EmbeddingCalls
from inference_sdk.http.client_foundation_models import FoundationModelCalls
from inference_sdk.http.client_segmentation import SegmentationCalls
from inference_sdk.http.client_workflows import (
    BufferConsumptionStrategy,
    BufferFillingStrategy,
    WorkflowCalls,
)
from inference_sdk.http.entities import (
    ApiKeyTransport,
    HTTPClientMode,
    ImagesReference,
    InferenceConfiguration,
    ModelDescription,
    RegisteredModels,
    ServerInfo,
    VideoReference,
)
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.operations import clips, frames, inference, many, registry
from inference_sdk.http.operations.embeddings import CLIP_ARGUMENT_TYPES
from inference_sdk.http.operations.inference import (
    NEW_INFERENCE_ENDPOINTS,
    VIDEO_INFERENCE_ENDPOINTS,
)
from inference_sdk.http.operations.loading import load_all, load_nested
from inference_sdk.http.operations.state import DEFAULT_HEADERS
from inference_sdk.http.results import InferenceResult, OneOrMany
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
    import numpy as np
    from typing_extensions import Self

    from inference_sdk.webrtc.client import WebRTCClient

    Frame = np.ndarray[Any, np.dtype[np.uint8]]

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

OnError = Literal["raise", "return"]

_MAKING_WEBRTC = threading.Lock()
"""Of the module, not of a client: a client that holds a lock could not be pickled."""


@boundary
class InferenceHTTPClient(
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
        """The same as the constructor."""
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
        """Set how the client calls; returns the client."""
        return self._change(configuration=inference_configuration)

    def use_configuration(
        self, inference_configuration: InferenceConfiguration
    ) -> AbstractContextManager[Self]:
        """Set how the client calls within a `with` block."""
        return self._changed("configuration", inference_configuration)

    def select_api_v0(self) -> Self:
        """Speak the API of Roboflow's hosted models; returns the client."""
        return self._change(mode=HTTPClientMode.V0)

    def select_api_v1(self) -> Self:
        """Speak the API of an inference server; returns the client."""
        return self._change(mode=HTTPClientMode.V1)

    def use_api_v0(self) -> AbstractContextManager[Self]:
        """As `select_api_v0`, within a `with` block."""
        return self._changed("mode", HTTPClientMode.V0)

    def use_api_v1(self) -> AbstractContextManager[Self]:
        """As `select_api_v1`, within a `with` block."""
        return self._changed("mode", HTTPClientMode.V1)

    def select_model(self, model_id: str) -> Self:
        """Set the model of calls that name none; returns the client."""
        return self._change(model_id=model_id)

    def use_model(self, model_id: str) -> AbstractContextManager[Self]:
        """As `select_model`, within a `with` block."""
        return self._changed("model_id", model_id)

    # -- images to results ---------------------------------------------------------------------

    @overload
    def infer(
        self, inference_input: ImagesReference, model_id: str | None = None
    ) -> InferenceResult: ...

    @overload
    def infer(
        self, inference_input: list[Any], model_id: str | None = None
    ) -> OneOrMany[InferenceResult]: ...

    def infer(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> Any:
        """Run a model on an image, or on each of a list of them.

        Args:
            inference_input: an image, or a list, however nested; see `ImagesReference`.
            model_id: such as "coco/3" or an alias such as "yolov8n-640"; None takes the
                selected model.

        Returns:
            A dict for one image, also in a list of one; a list in input order for several; see `InferenceResult`.
            Coordinates are pixels of the upright image as it was given, whatever was sent.

        Raises:
            HTTPCallErrorError: the server refused; holds its status and message.
            HTTPServerConnectionError: there was no answer.
            HTTPClientError: an input or a setting is wrong; the message says which.
        """
        return self._run(inference.infer(self._state, inference_input, model_id))

    @overload
    async def infer_async(
        self, inference_input: ImagesReference, model_id: str | None = None
    ) -> InferenceResult: ...

    @overload
    async def infer_async(
        self, inference_input: list[Any], model_id: str | None = None
    ) -> OneOrMany[InferenceResult]: ...

    async def infer_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> Any:
        """The async twin of `infer`."""
        return await self._run_async(inference.infer(self._state, inference_input, model_id))

    def infer_from_api_v0(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> OneOrMany[InferenceResult]:
        """`infer` against Roboflow's hosted models, whatever API is selected."""
        return self._run(inference.infer_from_api_v0(self._state, inference_input, model_id))

    async def infer_from_api_v0_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> OneOrMany[InferenceResult]:
        """The async twin of `infer_from_api_v0`."""
        return await self._run_async(
            inference.infer_from_api_v0(self._state, inference_input, model_id)
        )

    def infer_from_api_v1(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> OneOrMany[InferenceResult]:
        """`infer` against an inference server; looks the model up and loads it where needed.

        Raises:
            WrongClientModeError: API v0 is selected.
        """
        return self._run(inference.infer_from_api_v1(self._state, inference_input, model_id))

    async def infer_from_api_v1_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
    ) -> OneOrMany[InferenceResult]:
        """The async twin of `infer_from_api_v1`."""
        return await self._run_async(
            inference.infer_from_api_v1(self._state, inference_input, model_id)
        )

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: Literal["raise"] = "raise",
    ) -> Iterator[InferenceResult]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: OnError,
    ) -> Iterator[InferenceResult | HTTPClientError]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: OnError = "raise",
    ) -> Iterator[tuple[int, InferenceResult | HTTPClientError]]: ...

    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool = True,
        on_error: OnError = "raise",
    ) -> Iterator[Any]:
        """Run a model on any number of images, giving results as they come.

        Never holds more than `max_concurrent_requests` times `max_batch_size` images, so `inputs`
        may be a generator without an end; it is asked for the next image when there is room.

        Args:
            inputs: images; see `ImagesReference`.
            model_id: None takes the selected model.
            ordered: True gives results in the order of the inputs; False gives pairs
                (place of the input from 0, result), whichever is ready first.
            on_error: "raise" ends at the first input that fails, and says which; "return"
                gives the `HTTPClientError` in that input's place, and goes on.

        Example:
            >>> fast = client.with_options(max_concurrent_requests=8)
            >>> for path, result in zip(paths, fast.infer_many(paths, "coco/3")):
            ...     print(path, len(result["predictions"]))
        """
        call = self._run(inference.plan(self._state, model_id))
        jobs = map(partial(partial, self._run), many.operations(call, inputs, on_error))
        for results in pipeline.stream(jobs, **self._window(call.kind), ordered=ordered):
            yield from many.shown(results, ordered)

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: Literal["raise"] = "raise",
    ) -> AsyncIterator[InferenceResult]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: OnError,
    ) -> AsyncIterator[InferenceResult | HTTPClientError]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: OnError = "raise",
    ) -> AsyncIterator[tuple[int, InferenceResult | HTTPClientError]]: ...

    async def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool = True,
        on_error: OnError = "raise",
    ) -> AsyncIterator[Any]:
        """The async twin of `infer_many`; `inputs` may be an async iterable too."""
        call = await self._run_async(inference.plan(self._state, model_id))
        operations = many.operations_async(call, inputs, on_error)
        jobs = (partial(self._run_async, operation) async for operation in operations)
        stream = pipeline.stream_async(jobs, **self._window(call.kind), ordered=ordered)
        # Closed with this generator: whoever breaks off has no request left under way.
        async with aclosing(stream) as batches:
            async for results in batches:
                for result in many.shown(results, ordered):
                    yield result

    # -- videos --------------------------------------------------------------------------------

    def infer_on_stream(
        self, input_uri: str, model_id: str | None = None
    ) -> Generator[tuple[str | int, Frame, InferenceResult], None, None]:
        """Run a model on the pictures of a folder, or on the frames of a video or stream.

        No more frames are read ahead than `max_concurrent_requests`: by default none. A generator
        that is closed gives its file or camera back at once.

        Args:
            input_uri: a folder, or the path or URL of a video or stream (extra `video`).
            model_id: None takes the selected model.

        Yields:
            (path or frame number from 0, BGR uint8 array of shape (H, W, 3), result), in order.
            With `with_options(on_stream_error="return")` the result of a frame that fails is its
            `HTTPClientError`, and a frame that cannot be read is None.

        Raises:
            InvalidInputFormatError: there is nothing, no video, or a video without a frame; or a
                frame does not decode.
            EncodingError: a picture of the folder does not decode.
        """
        keep_errors = self.inference_configuration.on_stream_error == "return"

        def job(reference: str | int, frame: Frame) -> tuple[str | int, Any, Any]:
            with frames.FrameOutcome(reference, frame, keep_errors) as outcome:
                outcome.result = self.infer(inference_input=outcome.frame, model_id=model_id)
            return outcome.triple

        with frames.releasing(self._frames(input_uri, keep_errors)) as pairs:
            jobs = (partial(job, *pair) for pair in pairs)
            yield from pipeline.stream(
                jobs, **self._window(f"infer {model_id or self.selected_model}")
            )

    async def infer_on_stream_async(
        self, input_uri: str, model_id: str | None = None
    ) -> AsyncIterator[tuple[str | int, Frame, InferenceResult]]:
        """The async twin of `infer_on_stream`."""
        keep_errors = self.inference_configuration.on_stream_error == "return"

        async def job(reference: str | int, frame: Frame) -> tuple[str | int, Any, Any]:
            with frames.FrameOutcome(reference, frame, keep_errors) as outcome:
                outcome.result = await self.infer_async(
                    inference_input=outcome.frame, model_id=model_id
                )
            return outcome.triple

        with frames.releasing(self._frames(input_uri, keep_errors)) as pairs:
            jobs = (partial(job, *pair) async for pair in pipeline.as_async(pairs))
            stream = pipeline.stream_async(
                jobs, **self._window(f"infer {model_id or self.selected_model}")
            )
            async with aclosing(stream) as triples:
                async for triple in triples:
                    yield triple

    def _frames(self, input_uri: str, keep_errors: bool) -> Iterable[tuple[str | int, Any]]:
        extensions = self.inference_configuration.image_extensions_for_directory_scan
        if keep_errors:
            return frames_of(input_uri, extensions)
        return load_stream_inference_input(input_uri=input_uri, image_extensions=extensions)

    def infer_on_video(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """Run a model that watches whole clips, such as one for action recognition.

        Args:
            video_reference: an http(s) URL, which the server fetches, or a path.
            model_id: None takes the selected model.

        Raises:
            ModelTaskTypeNotSupportedError: the model takes images; use `infer`.
        """
        return self._run(clips.infer_on_video(self._state, video_reference, model_id))

    async def infer_on_video_async(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video`."""
        return await self._run_async(clips.infer_on_video(self._state, video_reference, model_id))

    def infer_on_video_from_api_v0(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """`infer_on_video` against Roboflow's hosted models, whatever API is selected."""
        return self._run(clips.infer_on_video_from_api_v0(self._state, video_reference, model_id))

    async def infer_on_video_from_api_v0_async(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video_from_api_v0`."""
        return await self._run_async(
            clips.infer_on_video_from_api_v0(self._state, video_reference, model_id)
        )

    def infer_on_video_from_api_v1(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """`infer_on_video` against an inference server."""
        return self._run(clips.infer_on_video_from_api_v1(self._state, video_reference, model_id))

    async def infer_on_video_from_api_v1_async(
        self, video_reference: VideoReference, model_id: str | None = None
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video_from_api_v1`."""
        return await self._run_async(
            clips.infer_on_video_from_api_v1(self._state, video_reference, model_id)
        )

    # -- the server and its models -------------------------------------------------------------

    def get_server_info(self) -> ServerInfo:
        """Name, version and id of the server."""
        return self._run(registry.get_server_info(self._state))

    async def get_server_info_async(self) -> ServerInfo:
        """The async twin of `get_server_info`."""
        return await self._run_async(registry.get_server_info(self._state))

    def list_loaded_models(self) -> RegisteredModels:
        """Models that the server has loaded.

        Raises:
            WrongClientModeError: API v0 is selected; so do the calls below.
        """
        return self._run(registry.list_loaded_models(self._state))

    async def list_loaded_models_async(self) -> RegisteredModels:
        """The async twin of `list_loaded_models`."""
        return await self._run_async(registry.list_loaded_models(self._state))

    def load_model(self, model_id: str, set_as_default: bool = False) -> RegisteredModels:
        """Have the server load a model, and select it when `set_as_default`."""
        return self._run(registry.load_model(self._state, model_id, set_as_default))

    async def load_model_async(
        self, model_id: str, set_as_default: bool = False
    ) -> RegisteredModels:
        """The async twin of `load_model`."""
        return await self._run_async(registry.load_model(self._state, model_id, set_as_default))

    def unload_model(self, model_id: str) -> RegisteredModels:
        """Have the server drop a model; if it is the selected one, none is selected after."""
        return self._run(registry.unload_model(self._state, model_id))

    async def unload_model_async(self, model_id: str) -> RegisteredModels:
        """The async twin of `unload_model`."""
        return await self._run_async(registry.unload_model(self._state, model_id))

    def unload_all_models(self) -> RegisteredModels:
        """Have the server drop all models; none is selected after."""
        return self._run(registry.unload_all_models(self._state))

    async def unload_all_models_async(self) -> RegisteredModels:
        """The async twin of `unload_all_models`."""
        return await self._run_async(registry.unload_all_models(self._state))

    def get_model_description(self, model_id: str, allow_loading: bool = True) -> ModelDescription:
        """Task and input size of a model, which is loaded first where allowed.

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

    def load_images(self, arguments: Mapping[str, Any]) -> Any:
        """Load images for an operation; by the documented loader, unless encoding is chosen."""
        if self._encodes_by_default:
            return load_static_inference_input(**arguments)
        return run(load_all(**self._preparation(arguments)), self)

    async def load_images_async(self, arguments: Mapping[str, Any]) -> Any:
        """The async twin of `load_images`."""
        if self._encodes_by_default:
            return await load_static_inference_input_async(**arguments)
        return await run_async(load_all(**self._preparation(arguments)), self)

    def load_nested_images(self, arguments: Mapping[str, Any]) -> Any:
        """As `load_images`, keeping the nesting."""
        if self._encodes_by_default:
            return load_nested_batches_of_inference_input(**arguments)
        return run(load_nested(**self._preparation(arguments)), self)

    async def load_nested_images_async(self, arguments: Mapping[str, Any]) -> Any:
        """The async twin of `load_nested_images`."""
        if self._encodes_by_default:
            return await load_nested_batches_of_inference_input_async(**arguments)
        return await run_async(load_nested(**self._preparation(arguments)), self)
