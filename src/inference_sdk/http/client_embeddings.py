"""Calls that turn images and texts into vectors, and compare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import OF_TASKS, OF_TEXTS, TaskOptions, TextOptions
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import embeddings
from inference_sdk.types import EmbeddingResult, Several, SimilarityResult

if TYPE_CHECKING:
    from typing_extensions import Unpack


@boundary
class EmbeddingCalls(ClientBase):
    """Part of `InferenceHTTPClient`: CLIP, perception encoder, and vectors of other models."""

    @overload
    def get_clip_image_embeddings(
        self,
        inference_input: ImagesReference,
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    def get_clip_image_embeddings(
        self,
        inference_input: Several,
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    def get_clip_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """CLIP vectors of images: `embeddings` of each result holds one.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            clip_version: such as "ViT-B-32"; None leaves it to the server.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            embeddings.clip_image_embeddings(client._state, inference_input, clip_version)
        )

    @overload
    async def get_clip_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    async def get_clip_image_embeddings_async(
        self,
        inference_input: Several,
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    async def get_clip_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `get_clip_image_embeddings`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            embeddings.clip_image_embeddings(client._state, inference_input, clip_version)
        )

    def get_clip_text_embeddings(
        self, text: str | list[str], clip_version: str | None = None, **options: Unpack[TextOptions]
    ) -> EmbeddingResult:
        """CLIP vectors of texts: `embeddings` holds one for each, in order.

        Args:
            text: one, or a list of them.
            clip_version: such as "ViT-B-32"; None leaves it to the server.
            options: settings for this call: `timeout`.

        Returns:
            `embeddings`, a list of vectors, also for one text. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TEXTS)
        return client._run(embeddings.clip_text_embeddings(client._state, text, clip_version))

    async def get_clip_text_embeddings_async(
        self, text: str | list[str], clip_version: str | None = None, **options: Unpack[TextOptions]
    ) -> EmbeddingResult:
        """The async twin of `get_clip_text_embeddings`."""
        client = self._for(options, OF_TEXTS)
        return await client._run_async(
            embeddings.clip_text_embeddings(client._state, text, clip_version)
        )

    def clip_compare(
        self,
        subject: str | ImagesReference,
        prompt: str | list[str] | ImagesReference | Sequence[ImagesReference],
        subject_type: Literal["image", "text"] = "image",
        prompt_type: Literal["image", "text"] = "text",
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> SimilarityResult:
        """Compare a text or image with others, by the cosine of their CLIP vectors.

        Args:
            subject: what to compare.
            prompt: what with; several are compared each on its own.
            subject_type: "image" or "text".
            prompt_type: "image" or "text".
            clip_version: None leaves it to the server.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            `similarity`, from -1 to 1, for each prompt in order; see `SimilarityResult`.

        Raises:
            InvalidParameterError: another type.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            embeddings.clip_compare(
                client._state, subject, prompt, subject_type, prompt_type, clip_version
            )
        )

    async def clip_compare_async(
        self,
        subject: str | ImagesReference,
        prompt: str | list[str] | ImagesReference | Sequence[ImagesReference],
        subject_type: Literal["image", "text"] = "image",
        prompt_type: Literal["image", "text"] = "text",
        clip_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> SimilarityResult:
        """The async twin of `clip_compare`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            embeddings.clip_compare(
                client._state, subject, prompt, subject_type, prompt_type, clip_version
            )
        )

    @overload
    def get_perception_encoder_image_embeddings(
        self,
        inference_input: ImagesReference,
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    def get_perception_encoder_image_embeddings(
        self,
        inference_input: Several,
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    def get_perception_encoder_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Perception encoder vectors of images, as `get_clip_image_embeddings`.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            perception_encoder_version: None leaves it to the server.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            embeddings.perception_encoder_image_embeddings(
                client._state, inference_input, perception_encoder_version
            )
        )

    @overload
    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: Several,
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `get_perception_encoder_image_embeddings`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            embeddings.perception_encoder_image_embeddings(
                client._state, inference_input, perception_encoder_version
            )
        )

    def get_perception_encoder_text_embeddings(
        self,
        text: str | list[str],
        perception_encoder_version: str | None = None,
        **options: Unpack[TextOptions],
    ) -> EmbeddingResult:
        """Perception encoder vectors of texts, as `get_clip_text_embeddings`.

        Args:
            text: one, or a list of them.
            perception_encoder_version: None leaves it to the server.
            options: settings for this call: `timeout`.

        Returns:
            `embeddings`, a list of vectors, also for one text. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TEXTS)
        return client._run(
            embeddings.perception_encoder_text_embeddings(
                client._state, text, perception_encoder_version
            )
        )

    async def get_perception_encoder_text_embeddings_async(
        self,
        text: str | list[str],
        perception_encoder_version: str | None = None,
        **options: Unpack[TextOptions],
    ) -> EmbeddingResult:
        """The async twin of `get_perception_encoder_text_embeddings`."""
        client = self._for(options, OF_TEXTS)
        return await client._run_async(
            embeddings.perception_encoder_text_embeddings(
                client._state, text, perception_encoder_version
            )
        )

    @overload
    def get_image_embeddings(
        self,
        inference_input: ImagesReference,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    def get_image_embeddings(
        self,
        inference_input: Several,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    def get_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Vectors that an image model makes on its way to an answer.

        Args:
            inference_input: see `ImagesReference`.
            model_id: such as "resnet50".
            output_type: "feature_vector", before the last layer, or "logits", after it.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            InvalidParameterError: another output type.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            embeddings.image_embeddings(client._state, inference_input, model_id, output_type)
        )

    @overload
    async def get_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> EmbeddingResult: ...

    @overload
    async def get_image_embeddings_async(
        self,
        inference_input: Several,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> list[EmbeddingResult]: ...

    async def get_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `get_image_embeddings`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            embeddings.image_embeddings(client._state, inference_input, model_id, output_type)
        )
