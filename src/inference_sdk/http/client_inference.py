"""Calls that infer with a model of one's own: on an image, on many, on the frames of a video."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Union, overload

from inference_sdk.http import pipeline
from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import OF_CLIPS, OF_IMAGES, ClipOptions, InferenceOptions
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference, VideoReference
from inference_sdk.http.errors import HTTPClientError
from inference_sdk.http.observing import Asked, each_asked, each_asked_async
from inference_sdk.http.operations import clips, frames, inference, many
from inference_sdk.types import InferenceResult, Several

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Unpack

    Frame = np.ndarray[Any, np.dtype[np.uint8]]

OnError = Literal["raise", "return"]
OneOfMany = Union[InferenceResult, HTTPClientError]
"""What `infer_many` gives for one input."""


@boundary
class InferenceCalls(ClientBase):
    """Part of `InferenceHTTPClient`: models by their ids.

    Each call takes options of its own, which are settings of the configuration for this call only:
    `infer(image, "coco/3", confidence=0.4, class_filter=["cat"])`. `InferenceOptions` lists them.
    An option that does not exist, or that the model's task does not know, is an
    `InvalidParameterError`.
    """

    if TYPE_CHECKING:

        def _frames(self, input_uri: str, keep_errors: bool) -> Iterable[tuple[str | int, Any]]: ...

    @overload
    def infer(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    def infer(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    def infer(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """Run a model on an image, or on each of a list of them.

        Args:
            inference_input: an image, or a list, however nested; see `ImagesReference`.
            model_id: such as "coco/3" or an alias such as "yolov8n-640"; None takes the
                selected model.
            options: settings for this call, such as `confidence=0.4`; see `InferenceOptions`.

        Returns:
            A dict for one image, also in a list of one; a list in input order for several; see
            `InferenceResult`. Coordinates are pixels of the upright image as it was given, whatever
            was sent.

        Raises:
            HTTPCallErrorError: the server refused; holds its status and message.
            HTTPServerConnectionError: there was no answer.
            HTTPClientError: an input or a setting is wrong; the message says which.
        """
        client = self._for(options, OF_IMAGES)
        return client._run(inference.infer(client._state, inference_input, model_id))

    @overload
    async def infer_async(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    async def infer_async(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    async def infer_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """The async twin of `infer`."""
        client = self._for(options, OF_IMAGES)
        operation = inference.infer(client._state, inference_input, model_id)
        return await client._run_async(operation)

    @overload
    def infer_from_api_v0(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    def infer_from_api_v0(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    def infer_from_api_v0(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """`infer` against Roboflow's hosted models, whatever API is selected.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            model_id: `project/version`, or an alias; None takes the selected model.
            options: settings for this call; see `InferenceOptions`.

        Returns:
            As of `infer`.

        Raises:
            APIKeyNotProvided: there is no key.
            InvalidModelIdentifier: the model's id is not `project/version`.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_IMAGES)
        return client._run(inference.infer_from_api_v0(client._state, inference_input, model_id))

    @overload
    async def infer_from_api_v0_async(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    async def infer_from_api_v0_async(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    async def infer_from_api_v0_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """The async twin of `infer_from_api_v0`."""
        client = self._for(options, OF_IMAGES)
        operation = inference.infer_from_api_v0(client._state, inference_input, model_id)
        return await client._run_async(operation)

    @overload
    def infer_from_api_v1(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    def infer_from_api_v1(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    def infer_from_api_v1(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """`infer` against an inference server; looks the model up and loads it where needed.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            model_id: None takes the selected model.
            options: settings for this call; see `InferenceOptions`.

        Returns:
            As of `infer`.

        Raises:
            WrongClientModeError: API v0 is selected.
        """
        client = self._for(options, OF_IMAGES)
        return client._run(inference.infer_from_api_v1(client._state, inference_input, model_id))

    @overload
    async def infer_from_api_v1_async(
        self,
        inference_input: ImagesReference,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> InferenceResult: ...

    @overload
    async def infer_from_api_v1_async(
        self,
        inference_input: Several,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> list[InferenceResult]: ...

    async def infer_from_api_v1_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Any:
        """The async twin of `infer_from_api_v1`."""
        client = self._for(options, OF_IMAGES)
        operation = inference.infer_from_api_v1(client._state, inference_input, model_id)
        return await client._run_async(operation)

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: Literal["raise"] = "raise",
        **options: Unpack[InferenceOptions],
    ) -> Iterator[InferenceResult]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: OnError,
        **options: Unpack[InferenceOptions],
    ) -> Iterator[OneOfMany]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: Literal["raise"] = "raise",
        **options: Unpack[InferenceOptions],
    ) -> Iterator[tuple[int, InferenceResult]]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: OnError,
        **options: Unpack[InferenceOptions],
    ) -> Iterator[tuple[int, OneOfMany]]: ...

    @overload
    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool,
        on_error: OnError = "raise",
        **options: Unpack[InferenceOptions],
    ) -> Iterator[OneOfMany | tuple[int, OneOfMany]]: ...

    def infer_many(
        self,
        inputs: Iterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool = True,
        on_error: OnError = "raise",
        **options: Unpack[InferenceOptions],
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
            options: settings for this call; see `InferenceOptions`.

        Returns:
            An iterator of results as of `infer`, one for each input.

        Raises:
            InvalidParameterError: there is no such option, or `inputs` is one image.
            HTTPClientError: an input failed; `input_index` says which.

        Example:
            >>> fast = client.with_options(max_concurrent_requests=8)
            >>> for path, result in zip(paths, fast.infer_many(paths, "coco/3")):
            ...     print(path, len(result["predictions"]))
        """
        client = self._for(options, OF_IMAGES)
        many.refuse_what_is_not_many(inputs)
        call = client._run(inference.plan(client._state, model_id))
        operations = each_asked(many.operations(call, inputs, on_error))
        jobs = (partial(client._run, *each, "infer_many") for each in operations)
        for results in pipeline.stream(jobs, **client._window(call.kind), ordered=ordered):
            yield from many.shown(results, ordered)

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: Literal["raise"] = "raise",
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[InferenceResult]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[True] = True,
        on_error: OnError,
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[OneOfMany]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: Literal["raise"] = "raise",
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[tuple[int, InferenceResult]]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: Literal[False],
        on_error: OnError,
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[tuple[int, OneOfMany]]: ...

    @overload
    def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool,
        on_error: OnError = "raise",
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[OneOfMany | tuple[int, OneOfMany]]: ...

    async def infer_many_async(
        self,
        inputs: Iterable[ImagesReference] | AsyncIterable[ImagesReference],
        model_id: str | None = None,
        *,
        ordered: bool = True,
        on_error: OnError = "raise",
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[Any]:
        """The async twin of `infer_many`; `inputs` may be an async iterable too."""
        client = self._for(options, OF_IMAGES)
        many.refuse_what_is_not_many(inputs)
        call = await client._run_async(inference.plan(client._state, model_id))
        operations = each_asked_async(many.operations_async(call, inputs, on_error))
        jobs = (partial(client._run_async, *each, "infer_many") async for each in operations)
        stream = pipeline.stream_async(jobs, **client._window(call.kind), ordered=ordered)
        # Closed with this generator: whoever breaks off has no request left under way.
        async with aclosing(stream) as batches:
            async for results in batches:
                for result in many.shown(results, ordered):
                    yield result

    # -- videos --------------------------------------------------------------------------------

    def infer_on_stream(
        self,
        input_uri: str,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> Generator[tuple[str | int, Frame, InferenceResult], None, None]:
        """Run a model on the pictures of a folder, or on the frames of a video or stream.

        No more frames are read ahead than `max_concurrent_requests`: by default none. A generator
        that is closed gives its file or camera back at once.

        Args:
            input_uri: a folder (its pictures, but for hidden ones and those in sub-folders, which
                `batch.run` takes), or the path or URL of a video or stream (extra `video`).
            model_id: None takes the selected model.
            options: settings for this call; see `InferenceOptions`.

        Yields:
            (path or frame number from 0, uint8 array of shape (H, W, 3), result), in order;
            the array is BGR, or RGB with `color_order="rgb"`.
            With `with_options(on_stream_error="return")` the result of a frame that fails is its
            `HTTPClientError`, and a frame that cannot be read is None.

        Raises:
            InvalidInputFormatError: there is nothing, no video, or a video without a frame; or a
                frame does not decode.
            EncodingError: a picture of the folder does not decode.
        """
        client = self._for(options, OF_IMAGES)
        settings = client.inference_configuration

        def job(pair: tuple[str | int, Frame], asked: Asked) -> tuple[str | int, Any, Any]:
            with (
                client.listeners.call("infer_on_stream", asked),
                frames.FrameOutcome(*pair, settings) as outcome,
            ):
                outcome.result = client.infer(inference_input=outcome.frame, model_id=model_id)
            return outcome.triple

        with frames.releasing(client._frames(input_uri, frames.keeps_errors(settings))) as pairs:
            jobs = (partial(job, *each) for each in each_asked(pairs))
            yield from pipeline.stream(
                jobs, **client._window(f"infer {model_id or client.selected_model}")
            )

    async def infer_on_stream_async(
        self,
        input_uri: str,
        model_id: str | None = None,
        **options: Unpack[InferenceOptions],
    ) -> AsyncIterator[tuple[str | int, Frame, InferenceResult]]:
        """The async twin of `infer_on_stream`."""
        client = self._for(options, OF_IMAGES)
        settings = client.inference_configuration

        async def job(pair: tuple[str | int, Frame], asked: Asked) -> tuple[str | int, Any, Any]:
            with (
                client.listeners.call("infer_on_stream", asked),
                frames.FrameOutcome(*pair, settings) as outcome,
            ):
                outcome.result = await client.infer_async(
                    inference_input=outcome.frame, model_id=model_id
                )
            return outcome.triple

        with frames.releasing(client._frames(input_uri, frames.keeps_errors(settings))) as pairs:
            frames_asked = each_asked_async(pipeline.as_async(pairs))
            jobs = (partial(job, *each) async for each in frames_asked)
            stream = pipeline.stream_async(
                jobs, **client._window(f"infer {model_id or client.selected_model}")
            )
            async with aclosing(stream) as triples:
                async for triple in triples:
                    yield triple

    def infer_on_video(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """Run a model that watches whole clips, such as one for action recognition.

        Args:
            video_reference: an http(s) URL, which the server fetches, or a path.
            model_id: None takes the selected model.
            options: settings for this call: `class_filter`, `timeout`.

        Returns:
            What the model found in the clip, as the server tells it.

        Raises:
            ModelTaskTypeNotSupportedError: the model takes images; use `infer`.
        """
        client = self._for(options, OF_CLIPS)
        return client._run(clips.infer_on_video(client._state, video_reference, model_id))

    async def infer_on_video_async(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video`."""
        client = self._for(options, OF_CLIPS)
        operation = clips.infer_on_video(client._state, video_reference, model_id)
        return await client._run_async(operation)

    def infer_on_video_from_api_v0(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """`infer_on_video` against Roboflow's hosted models, whatever API is selected.

        Args:
            video_reference: an http(s) URL, or a path, whose file is uploaded.
            model_id: None takes the selected model.
            options: settings for this call: `class_filter`, `timeout`.

        Returns:
            As of `infer_on_video`.

        Raises:
            APIKeyNotProvided: there is no key.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_CLIPS)
        return client._run(
            clips.infer_on_video_from_api_v0(client._state, video_reference, model_id)
        )

    async def infer_on_video_from_api_v0_async(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video_from_api_v0`."""
        client = self._for(options, OF_CLIPS)
        operation = clips.infer_on_video_from_api_v0(client._state, video_reference, model_id)
        return await client._run_async(operation)

    def infer_on_video_from_api_v1(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """`infer_on_video` against an inference server.

        Args:
            video_reference: an http(s) URL, which the server fetches, or a path.
            model_id: None takes the selected model.
            options: settings for this call: `class_filter`, `timeout`.

        Returns:
            As of `infer_on_video`.

        Raises:
            WrongClientModeError: API v0 is selected.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_CLIPS)
        return client._run(
            clips.infer_on_video_from_api_v1(client._state, video_reference, model_id)
        )

    async def infer_on_video_from_api_v1_async(
        self,
        video_reference: VideoReference,
        model_id: str | None = None,
        **options: Unpack[ClipOptions],
    ) -> dict[str, Any]:
        """The async twin of `infer_on_video_from_api_v1`."""
        client = self._for(options, OF_CLIPS)
        operation = clips.infer_on_video_from_api_v1(client._state, video_reference, model_id)
        return await client._run_async(operation)
