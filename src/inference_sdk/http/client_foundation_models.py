"""Calls of models that have an endpoint of their own: OCR, CLIP, SAM, depth, language models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from inference_sdk.http.boundary import boundary
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import embeddings, foundation_models, segmentation
from inference_sdk.http.operations.foundation_models import DEPTH_MAP_FORMAT_NOT_NAMED
from inference_sdk.http.results import (
    DepthResult,
    EmbeddingResult,
    InferenceResult,
    OCRResult,
    OneOrMany,
    SimilarityResult,
)


@boundary
class FoundationModelCalls(ClientBase):
    """Part of `InferenceHTTPClient`: models that are called by name, not by id."""

    def ocr_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
    ) -> OneOrMany[OCRResult]:
        """Read the text in images.

        Args:
            inference_input: see `ImagesReference`.
            model: "doctr", "trocr", "easy_ocr" or "pp_ocr", in any case.
            version: of the model; None leaves it to the server, as do the options below.
            quantize: use the smaller, faster weights (doctr, easy_ocr).
            generate_bounding_boxes: say where each piece of text stands.
            language_codes: to look for (easy_ocr), such as ["en", "pl"].

        Raises:
            ValueError: there is no such model.
        """
        return self._run(
            foundation_models.ocr_image(
                self._state,
                inference_input,
                model,
                version,
                quantize,
                generate_bounding_boxes,
                language_codes,
            )
        )

    async def ocr_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model: str = "doctr",
        version: str | None = None,
        quantize: bool | None = None,
        generate_bounding_boxes: bool | None = None,
        language_codes: list[str] | None = None,
    ) -> OneOrMany[OCRResult]:
        """The async twin of `ocr_image`."""
        return await self._run_async(
            foundation_models.ocr_image(
                self._state,
                inference_input,
                model,
                version,
                quantize,
                generate_bounding_boxes,
                language_codes,
            )
        )

    def detect_gazes(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
    ) -> Any:
        """Find faces and where they look; yaw and pitch in radians.

        Raises:
            WrongClientModeError: API v0 is selected.
        """
        return self._run(foundation_models.detect_gazes(self._state, inference_input))

    async def detect_gazes_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
    ) -> Any:
        """The async twin of `detect_gazes`."""
        return await self._run_async(foundation_models.detect_gazes(self._state, inference_input))

    def infer_lmm(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
    ) -> Any:
        """Ask a language model about images.

        Args:
            inference_input: see `ImagesReference`.
            model_id: such as "florence-2-base".
            prompt: what to ask; its form is the model's own.
            model_id_in_path: name the model in the URL, for servers that route by it.
            max_new_tokens: the longest answer.
            enable_thinking: let the model reason before it answers, where it can.
        """
        return self._run(
            foundation_models.infer_lmm(
                self._state,
                inference_input,
                model_id,
                prompt,
                model_id_in_path,
                max_new_tokens,
                enable_thinking,
            )
        )

    async def infer_lmm_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        prompt: str | None = None,
        model_id_in_path: bool = False,
        max_new_tokens: int | None = None,
        enable_thinking: bool | None = None,
    ) -> Any:
        """The async twin of `infer_lmm`."""
        return await self._run_async(
            foundation_models.infer_lmm(
                self._state,
                inference_input,
                model_id,
                prompt,
                model_id_in_path,
                max_new_tokens,
                enable_thinking,
            )
        )

    def depth_estimation(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: str = DEPTH_MAP_FORMAT_NOT_NAMED,
    ) -> OneOrMany[DepthResult]:
        """Estimate the depth of every pixel, normalised to 0..1.

        Args:
            inference_input: see `ImagesReference`.
            model_id: of the depth model.
            model_id_in_path: name the model in the URL, for servers that route by it.
            depth_map_format: how the map travels. "json": `normalized_depth` is a nested list,
                some 20 bytes a pixel; "png16" and "png8": it is a float32 array (H, W), at 2
                and 1 bytes a pixel at most (servers from 1.5).

        Raises:
            InvalidParameterError: there is no such format.
        """
        return self._run(
            foundation_models.depth_estimation(
                self._state, inference_input, model_id, model_id_in_path, depth_map_format
            )
        )

    async def depth_estimation_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str = "depth-anything-v3/small",
        model_id_in_path: bool = False,
        depth_map_format: str = DEPTH_MAP_FORMAT_NOT_NAMED,
    ) -> OneOrMany[DepthResult]:
        """The async twin of `depth_estimation`."""
        return await self._run_async(
            foundation_models.depth_estimation(
                self._state, inference_input, model_id, model_id_in_path, depth_map_format
            )
        )

    def infer_from_yolo_world(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        class_names: list[str],
        model_version: str | None = None,
        confidence: float | None = None,
    ) -> list[InferenceResult]:
        """Find objects of classes named in words.

        Returns:
            A list of results, also for one image.
        """
        return self._run(
            foundation_models.infer_from_yolo_world(
                self._state, inference_input, class_names, model_version, confidence
            )
        )

    async def infer_from_yolo_world_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        class_names: list[str],
        model_version: str | None = None,
        confidence: float | None = None,
    ) -> list[InferenceResult]:
        """The async twin of `infer_from_yolo_world`."""
        return await self._run_async(
            foundation_models.infer_from_yolo_world(
                self._state, inference_input, class_names, model_version, confidence
            )
        )

    # -- vectors -------------------------------------------------------------------------------

    def get_clip_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
    ) -> OneOrMany[EmbeddingResult]:
        """CLIP vectors of images: `embeddings` of each result holds one."""
        return self._run(
            embeddings.clip_image_embeddings(self._state, inference_input, clip_version)
        )

    async def get_clip_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        clip_version: str | None = None,
    ) -> OneOrMany[EmbeddingResult]:
        """The async twin of `get_clip_image_embeddings`."""
        return await self._run_async(
            embeddings.clip_image_embeddings(self._state, inference_input, clip_version)
        )

    def get_clip_text_embeddings(
        self,
        text: str | list[str],
        clip_version: str | None = None,
    ) -> EmbeddingResult:
        """CLIP vectors of texts: `embeddings` holds one for each, in order."""
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
        subject_type: str = "image",
        prompt_type: str = "text",
        clip_version: str | None = None,
    ) -> SimilarityResult:
        """Compare a text or image with others, by the cosine of their CLIP vectors.

        Args:
            subject: what to compare.
            prompt: what with; several are compared each on its own.
            subject_type: "image" or "text".
            prompt_type: "image" or "text".
            clip_version: None leaves it to the server.

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
        subject_type: str = "image",
        prompt_type: str = "text",
        clip_version: str | None = None,
    ) -> SimilarityResult:
        """The async twin of `clip_compare`."""
        return await self._run_async(
            embeddings.clip_compare(
                self._state, subject, prompt, subject_type, prompt_type, clip_version
            )
        )

    def get_perception_encoder_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
    ) -> OneOrMany[EmbeddingResult]:
        """Perception encoder vectors of images, as `get_clip_image_embeddings`."""
        return self._run(
            embeddings.perception_encoder_image_embeddings(
                self._state, inference_input, perception_encoder_version
            )
        )

    async def get_perception_encoder_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        perception_encoder_version: str | None = None,
    ) -> OneOrMany[EmbeddingResult]:
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
        """Perception encoder vectors of texts, as `get_clip_text_embeddings`."""
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

    def get_image_embeddings(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> OneOrMany[EmbeddingResult]:
        """Vectors that an image model makes on its way to an answer.

        Args:
            inference_input: see `ImagesReference`.
            model_id: such as "resnet50".
            output_type: "feature_vector", before the last layer, or "logits", after it.

        Raises:
            InvalidParameterError: another output type.
        """
        return self._run(
            embeddings.image_embeddings(self._state, inference_input, model_id, output_type)
        )

    async def get_image_embeddings_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        model_id: str,
        output_type: Literal["feature_vector", "logits"] = "feature_vector",
    ) -> OneOrMany[EmbeddingResult]:
        """The async twin of `get_image_embeddings`."""
        return await self._run_async(
            embeddings.image_embeddings(self._state, inference_input, model_id, output_type)
        )

    # -- segment anything ----------------------------------------------------------------------

    def sam2_segment_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
    ) -> Any:
        """Segment what points or boxes mark, with SAM 2.

        Args:
            inference_input: see `ImagesReference`.
            prompts: `{"points": [{"x", "y", "positive"}]}` or `{"box": {"x", "y", "width",
                "height"}}`, in pixels; None segments everything.
            sam2_version_id: "hiera_tiny", "hiera_small", "hiera_b_plus" or "hiera_large".
            multimask_output: try several masks where a prompt is ambiguous.
            mask_input_format: of the masks in the answer: "json" (polygons) or "rle".
        """
        return self._run(
            segmentation.sam2_segment_image(
                self._state,
                inference_input,
                prompts,
                sam2_version_id,
                multimask_output,
                mask_input_format,
            )
        )

    async def sam2_segment_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
    ) -> Any:
        """The async twin of `sam2_segment_image`."""
        return await self._run_async(
            segmentation.sam2_segment_image(
                self._state,
                inference_input,
                prompts,
                sam2_version_id,
                multimask_output,
                mask_input_format,
            )
        )

    def sam3_concept_segment(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
    ) -> Any:
        """Segment every instance of concepts, named in words or shown by boxes, with SAM 3.

        Args:
            inference_input: see `ImagesReference`.
            prompts: such as `{"type": "text", "text": "cat"}`.
            model_id: of the SAM 3 model.
            output_prob_thresh: masks below this confidence (0..1) are left out.
            nms_iou_threshold: overlap (0..1) above which masks of several prompts are one.
            format: "polygon", "rle" or "json".
        """
        return self._run(
            segmentation.sam3_concept_segment(
                self._state,
                inference_input,
                prompts,
                model_id,
                output_prob_thresh,
                nms_iou_threshold,
                format,
            )
        )

    async def sam3_concept_segment_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
    ) -> Any:
        """The async twin of `sam3_concept_segment`."""
        return await self._run_async(
            segmentation.sam3_concept_segment(
                self._state,
                inference_input,
                prompts,
                model_id,
                output_prob_thresh,
                nms_iou_threshold,
                format,
            )
        )

    def sam3_visual_segment(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
    ) -> Any:
        """Segment what points or boxes mark, with SAM 3; arguments as of `sam2_segment_image`."""
        return self._run(
            segmentation.sam3_visual_segment(
                self._state, inference_input, prompts, multimask_output, mask_input_format
            )
        )

    async def sam3_visual_segment_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
    ) -> Any:
        """The async twin of `sam3_visual_segment`."""
        return await self._run_async(
            segmentation.sam3_visual_segment(
                self._state, inference_input, prompts, multimask_output, mask_input_format
            )
        )

    def sam3_embed_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        image_id: str | None = None,
    ) -> Any:
        """Have SAM 3 prepare images, so that prompts on them are answered faster.

        Args:
            inference_input: see `ImagesReference`.
            image_id: name to keep the preparation under; None lets the server choose.
        """
        return self._run(segmentation.sam3_embed_image(self._state, inference_input, image_id))

    async def sam3_embed_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        image_id: str | None = None,
    ) -> Any:
        """The async twin of `sam3_embed_image`."""
        return await self._run_async(
            segmentation.sam3_embed_image(self._state, inference_input, image_id)
        )

    def sam3_3d_infer(
        self,
        inference_input: ImagesReference,
        mask_input: Any,
        model_id: str = "sam3-3d-objects",
        *,
        output_meshes: bool = True,
        output_scene: bool = True,
        with_mesh_postprocess: bool = True,
        with_texture_baking: bool = True,
        use_distillations: bool = False,
    ) -> dict[str, Any]:
        """Reconstruct masked objects of one image in 3D.

        Args:
            inference_input: one image.
            mask_input: of the objects: polygon, RLE, or binary mask of the image's size.
            model_id: of the model.
            output_meshes: answer with a mesh (GLB) for each object.
            output_scene: answer with all objects in one scene.
            with_mesh_postprocess: smooth and fill the meshes.
            with_texture_baking: bake the colours into textures.
            use_distillations: use the smaller, faster models.

        Raises:
            InvalidParameterError: not exactly one image.
        """
        return self._run(
            segmentation.sam3_3d_infer(
                self._state,
                inference_input,
                mask_input,
                model_id,
                output_meshes=output_meshes,
                output_scene=output_scene,
                with_mesh_postprocess=with_mesh_postprocess,
                with_texture_baking=with_texture_baking,
                use_distillations=use_distillations,
            )
        )

    async def sam3_3d_infer_async(
        self,
        inference_input: ImagesReference,
        mask_input: Any,
        model_id: str = "sam3-3d-objects",
        *,
        output_meshes: bool = True,
        output_scene: bool = True,
        with_mesh_postprocess: bool = True,
        with_texture_baking: bool = True,
        use_distillations: bool = False,
    ) -> dict[str, Any]:
        """The async twin of `sam3_3d_infer`."""
        return await self._run_async(
            segmentation.sam3_3d_infer(
                self._state,
                inference_input,
                mask_input,
                model_id,
                output_meshes=output_meshes,
                output_scene=output_scene,
                with_mesh_postprocess=with_mesh_postprocess,
                with_texture_baking=with_texture_baking,
                use_distillations=use_distillations,
            )
        )
