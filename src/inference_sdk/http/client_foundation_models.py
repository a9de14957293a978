"""Calls of models by name, on images: reading, gazes, language, depth, open vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import OF_TASKS, TaskOptions
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import foundation_models
from inference_sdk.http.operations.foundation_models import (
    DEPTH_MAP_FORMAT_NOT_NAMED,
    DepthMapFormat,
)
from inference_sdk.types import (
    DepthResult,
    GazeResult,
    InferenceResult,
    LanguageResult,
    OCRResult,
    Several,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack


@boundary
class FoundationModelCalls(ClientBase):
    """Part of `InferenceHTTPClient`: models that are called by name, not by id."""

    @overload
    def ocr_image(
        self,
        inference_input: ImagesReference,
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> OCRResult: ...

    @overload
    def ocr_image(
        self,
        inference_input: Several,
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[OCRResult]: ...

    def ocr_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Read the text in images.

        Args:
            inference_input: see `ImagesReference`.
            model: "doctr", "trocr", "easy_ocr" or "pp_ocr", in any case.
            version: of the model; None leaves it to the server, as do the options below.
            quantize: use the smaller, faster weights (doctr, easy_ocr).
            generate_bounding_boxes: say where each piece of text stands.
            language_codes: to look for (easy_ocr), such as ["en", "pl"].
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: the text is its
            `result`. See `OCRResult`.

        Raises:
            ValueError: there is no such model.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            foundation_models.ocr_image(
                client._state,
                inference_input,
                model,
                version,
                quantize,
                generate_bounding_boxes,
                language_codes,
            )
        )

    @overload
    async def ocr_image_async(
        self,
        inference_input: ImagesReference,
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> OCRResult: ...

    @overload
    async def ocr_image_async(
        self,
        inference_input: Several,
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[OCRResult]: ...

    async def ocr_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `ocr_image`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            foundation_models.ocr_image(
                client._state,
                inference_input,
                model,
                version,
                quantize,
                generate_bounding_boxes,
                language_codes,
            )
        )

    @overload
    def detect_gazes(
        self, inference_input: ImagesReference, **options: Unpack[TaskOptions]
    ) -> GazeResult: ...

    @overload
    def detect_gazes(
        self, inference_input: Several, **options: Unpack[TaskOptions]
    ) -> list[GazeResult]: ...

    def detect_gazes(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Find faces and where they look; yaw and pitch in radians.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: the faces, in
            pixels of the image, with `yaw` and `pitch`. See `GazeResult`.

        Raises:
            WrongClientModeError: API v0 is selected.
        """
        client = self._for(options, OF_TASKS)
        return client._run(foundation_models.detect_gazes(client._state, inference_input))

    @overload
    async def detect_gazes_async(
        self, inference_input: ImagesReference, **options: Unpack[TaskOptions]
    ) -> GazeResult: ...

    @overload
    async def detect_gazes_async(
        self, inference_input: Several, **options: Unpack[TaskOptions]
    ) -> list[GazeResult]: ...

    async def detect_gazes_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `detect_gazes`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            foundation_models.detect_gazes(client._state, inference_input)
        )

    @overload
    def infer_lmm(
        self,
        inference_input: ImagesReference,
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> LanguageResult: ...

    @overload
    def infer_lmm(
        self,
        inference_input: Several,
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[LanguageResult]: ...

    def infer_lmm(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Ask a language model about images.

        Args:
            inference_input: see `ImagesReference`.
            model_id: such as "florence-2-base".
            prompt: what to ask; its form is the model's own.
            model_id_in_path: name the model in the URL, for servers that route by it.
            max_new_tokens: the longest answer.
            enable_thinking: let the model reason before it answers, where it can.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `response`, a text,
            or an object with some models. See `LanguageResult`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            foundation_models.infer_lmm(
                client._state,
                inference_input,
                model_id,
                prompt,
                model_id_in_path,
                max_new_tokens,
                enable_thinking,
            )
        )

    @overload
    async def infer_lmm_async(
        self,
        inference_input: ImagesReference,
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> LanguageResult: ...

    @overload
    async def infer_lmm_async(
        self,
        inference_input: Several,
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[LanguageResult]: ...

    async def infer_lmm_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `infer_lmm`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            foundation_models.infer_lmm(
                client._state,
                inference_input,
                model_id,
                prompt,
                model_id_in_path,
                max_new_tokens,
                enable_thinking,
            )
        )

    @overload
    def depth_estimation(
        self,
        inference_input: ImagesReference,
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> DepthResult: ...

    @overload
    def depth_estimation(
        self,
        inference_input: Several,
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> list[DepthResult]: ...

    def depth_estimation(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Estimate the depth of every pixel, normalised to 0..1.

        Args:
            inference_input: see `ImagesReference`.
            model_id: of the depth model.
            model_id_in_path: name the model in the URL, for servers that route by it.
            depth_map_format: how the map travels. "json": `normalized_depth` is a nested list,
                some 20 bytes a pixel; "png16" and "png8": it is a float32 array (H, W), at 2
                and 1 bytes a pixel at most (servers from 1.5).
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `normalized_depth`,
            of the image's height and width (see `depth_map_format`), and `image`, a picture of it
            in base64. See `DepthResult`.

        Raises:
            InvalidParameterError: there is no such format.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            foundation_models.depth_estimation(
                client._state, inference_input, model_id, model_id_in_path, depth_map_format
            )
        )

    @overload
    async def depth_estimation_async(
        self,
        inference_input: ImagesReference,
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> DepthResult: ...

    @overload
    async def depth_estimation_async(
        self,
        inference_input: Several,
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> list[DepthResult]: ...

    async def depth_estimation_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: DepthMapFormat = DEPTH_MAP_FORMAT_NOT_NAMED,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `depth_estimation`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            foundation_models.depth_estimation(
                client._state, inference_input, model_id, model_id_in_path, depth_map_format
            )
        )

    def infer_from_yolo_world(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        class_names: list[str],
        model_version: str | None = None,
        confidence: float | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[InferenceResult]:
        """Find objects of classes named in words.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            class_names: what to look for, in words.
            model_version: such as "l"; None leaves it to the server.
            confidence: 0..1; objects below it are left out.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A list of results, also for one image.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            foundation_models.infer_from_yolo_world(
                client._state, inference_input, class_names, model_version, confidence
            )
        )

    async def infer_from_yolo_world_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        class_names: list[str],
        model_version: str | None = None,
        confidence: float | None = None,
        **options: Unpack[TaskOptions],
    ) -> list[InferenceResult]:
        """The async twin of `infer_from_yolo_world`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            foundation_models.infer_from_yolo_world(
                client._state, inference_input, class_names, model_version, confidence
            )
        )
