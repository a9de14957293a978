"""Calls that turn images and texts into vectors, and compare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

from inference_sdk.http.boundary import boundary
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import embeddings
from inference_sdk.types import EmbeddingResult, Several, SimilarityResult


@boundary
class EmbeddingCalls(ClientBase):
    """Part of `InferenceHTTPClient`: CLIP, perception encoder, and vectors of other models."""

    @overload
    def get_clip_image_embeddings(
        self,
        inference_input: ImagesReference,
        clip_version: str | None = None,
    ) -> EmbeddingResult: ...

    @overload
    def get_clip_image_embeddings(
        self,
        inference_input: Several,
        clip_version: str | None = None,
    ) -> list[EmbeddingResult]: ...

    def get_clip_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
    ) -> Any:
        """CLIP vectors of images: `embeddings` of each result holds one.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            clip_version: such as "ViT-B-32"; None leaves it to the server.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(
            embeddings.clip_image_embeddings(self._state, inference_input, clip_version)
        )

    @overload
    async def get_clip_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        clip_version: str | None = None,
    ) -> EmbeddingResult: ...

    @overload
    async def get_clip_image_embeddings_async(
        self,
        inference_input: Several,
        clip_version: str | None = None,
    ) -> list[EmbeddingResult]: ...

    async def get_clip_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
    ) -> Any:
        """The async twin of `get_clip_image_embeddings`."""
        return await self._run_async(
            embeddings.clip_image_embeddings(self._state, inference_input, clip_version)
        )

    def get_clip_text_embeddings(
        self,
        text: str | list[str],
        clip_version: str | None = None,
    ) -> EmbeddingResult:
        """CLIP vectors of texts: `embeddings` holds one for each, in order.

        Args:
            text: one, or a list of them.
            clip_version: such as "ViT-B-32"; None leaves it to the server.

        Returns:
            `embeddings`, a list of vectors, also for one text. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(embeddings.clip_text_embeddings(self._state, text, clip_version))

    async def get_clip_text_embeddings_async(
        self,
        text: str | list[str],
        clip_version: str | None = None,
    ) -> EmbeddingResult:
        """The async twin of `get_clip_text_embeddings`."""
        return await self._run_async(
            embeddings.clip_text_embeddings(self._state, text, clip_version)
        )

    def clip_compare(
        self,
        subject: str | ImagesReference,
        prompt: str | list[str] | ImagesReference | Sequence[ImagesReference],
        subject_type: Literal["image", "text"] = "image",
        prompt_type: Literal["image", "text"] = "text",
        clip_version: str | None = None,
    ) -> SimilarityResult:
        """Compare a text or image with others, by the cosine of their CLIP vectors.

        Args:
            subject: what to compare.
            prompt: what with; several are compared each on its own.
            subject_type: "image" or "text".
            prompt_type: "image" or "text".
            clip_version: None leaves it to the server.

        Returns:
            `similarity`, from -1 to 1, for each prompt in order; see `SimilarityResult`.

        Raises:
            InvalidParameterError: another type.
        """
        return self._run(
            embeddings.clip_compare(
                self._state, subject, prompt, subject_type, prompt_type, clip_version
            )
        )

    async def clip_compare_async(
        self,
        subject: str | ImagesReference,
        prompt: str | list[str] | ImagesReference | Sequence[ImagesReference],
        subject_type: Literal["image", "text"] = "image",
        prompt_type: Literal["image", "text"] = "text",
        clip_version: str | None = None,
    ) -> SimilarityResult:
        """The async twin of `clip_compare`."""
        return await self._run_async(
            embeddings.clip_compare(
                self._state, subject, prompt, subject_type, prompt_type, clip_version
            )
        )

    @overload
    def get_perception_encoder_image_embeddings(
        self,
        inference_input: ImagesReference,
        perception_encoder_version: str | None = None,
    ) -> EmbeddingResult: ...

    @overload
    def get_perception_encoder_image_embeddings(
        self,
        inference_input: Several,
        perception_encoder_version: str | None = None,
    ) -> list[EmbeddingResult]: ...

    def get_perception_encoder_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
    ) -> Any:
        """Perception encoder vectors of images, as `get_clip_image_embeddings`.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            perception_encoder_version: None leaves it to the server.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(
            embeddings.perception_encoder_image_embeddings(
                self._state, inference_input, perception_encoder_version
            )
        )

    @overload
    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        perception_encoder_version: str | None = None,
    ) -> EmbeddingResult: ...

    @overload
    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: Several,
        perception_encoder_version: str | None = None,
    ) -> list[EmbeddingResult]: ...

    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
    ) -> Any:
        """The async twin of `get_perception_encoder_image_embeddings`."""
        return await self._run_async(
            embeddings.perception_encoder_image_embeddings(
                self._state, inference_input, perception_encoder_version
            )
        )

    def get_perception_encoder_text_embeddings(
        self,
        text: str | list[str],
        perception_encoder_version: str | None = None,
    ) -> EmbeddingResult:
        """Perception encoder vectors of texts, as `get_clip_text_embeddings`.

        Args:
            text: one, or a list of them.
            perception_encoder_version: None leaves it to the server.

        Returns:
            `embeddings`, a list of vectors, also for one text. See `EmbeddingResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(
            embeddings.perception_encoder_text_embeddings(
                self._state, text, perception_encoder_version
            )
        )

    async def get_perception_encoder_text_embeddings_async(
        self,
        text: str | list[str],
        perception_encoder_version: str | None = None,
    ) -> EmbeddingResult:
        """The async twin of `get_perception_encoder_text_embeddings`."""
        return await self._run_async(
            embeddings.perception_encoder_text_embeddings(
                self._state, text, perception_encoder_version
            )
        )

    @overload
    def get_image_embeddings(
        self,
        inference_input: ImagesReference,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> EmbeddingResult: ...

    @overload
    def get_image_embeddings(
        self,
        inference_input: Several,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> list[EmbeddingResult]: ...

    def get_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> Any:
        """Vectors that an image model makes on its way to an answer.

        Args:
            inference_input: see `ImagesReference`.
            model_id: such as "resnet50".
            output_type: "feature_vector", before the last layer, or "logits", after it.

        Returns:
            A dict for one image; a list of them, in input order, for several: `embeddings` holds
            one vector. See `EmbeddingResult`.

        Raises:
            InvalidParameterError: another output type.
        """
        return self._run(
            embeddings.image_embeddings(self._state, inference_input, model_id, output_type)
        )

    @overload
    async def get_image_embeddings_async(
        self,
        inference_input: ImagesReference,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> EmbeddingResult: ...

    @overload
    async def get_image_embeddings_async(
        self,
        inference_input: Several,
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> list[EmbeddingResult]: ...

    async def get_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> Any:
        """The async twin of `get_image_embeddings`."""
        return await self._run_async(
            embeddings.image_embeddings(self._state, inference_input, model_id, output_type)
        )
