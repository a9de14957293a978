"""Calls of the Segment Anything models: masks from points, boxes and words, and 3D from masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import OF_TASKS, TaskOptions
from inference_sdk.http.client_base import ClientBase
from inference_sdk.http.entities import ImagesReference
from inference_sdk.http.operations import segmentation
from inference_sdk.types import Several

if TYPE_CHECKING:
    from typing_extensions import Unpack


@boundary
class SegmentationCalls(ClientBase):
    """Part of `InferenceHTTPClient`: SAM 2 and SAM 3."""

    @overload
    def sam2_segment_image(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    def sam2_segment_image(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    def sam2_segment_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Segment what points or boxes mark, with SAM 2.

        Args:
            inference_input: see `ImagesReference`.
            prompts: `{"points": [{"x", "y", "positive"}]}` or `{"box": {"x", "y", "width",
                "height"}}`, in pixels; None segments everything.
            sam2_version_id: "hiera_tiny", "hiera_small", "hiera_b_plus" or "hiera_large".
            multimask_output: try several masks where a prompt is ambiguous.
            mask_input_format: of the masks in the answer: "json" (polygons) or "rle".
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `predictions`, the
            `masks` and `confidence` of each prompt.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            segmentation.sam2_segment_image(
                client._state,
                inference_input,
                prompts,
                sam2_version_id,
                multimask_output,
                mask_input_format,
            )
        )

    @overload
    async def sam2_segment_image_async(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    async def sam2_segment_image_async(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    async def sam2_segment_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        sam2_version_id: str = "hiera_tiny",
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `sam2_segment_image`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            segmentation.sam2_segment_image(
                client._state,
                inference_input,
                prompts,
                sam2_version_id,
                multimask_output,
                mask_input_format,
            )
        )

    @overload
    def sam3_concept_segment(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    def sam3_concept_segment(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    def sam3_concept_segment(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Segment every instance of concepts, named in words or shown by boxes, with SAM 3.

        Args:
            inference_input: see `ImagesReference`.
            prompts: such as `{"type": "text", "text": "cat"}`.
            model_id: of the SAM 3 model.
            output_prob_thresh: masks below this confidence (0..1) are left out.
            nms_iou_threshold: overlap (0..1) above which masks of several prompts are one.
            format: "polygon", "rle" or "json".
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `prompt_results`,
            the `predictions` for each prompt in order.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            segmentation.sam3_concept_segment(
                client._state,
                inference_input,
                prompts,
                model_id,
                output_prob_thresh,
                nms_iou_threshold,
                format,
            )
        )

    @overload
    async def sam3_concept_segment_async(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    async def sam3_concept_segment_async(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    async def sam3_concept_segment_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]],
        model_id: str = "sam3/sam3_final",
        output_prob_thresh: float = 0.5,
        nms_iou_threshold: float | None = None,
        format: str = "polygon",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `sam3_concept_segment`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            segmentation.sam3_concept_segment(
                client._state,
                inference_input,
                prompts,
                model_id,
                output_prob_thresh,
                nms_iou_threshold,
                format,
            )
        )

    @overload
    def sam3_visual_segment(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    def sam3_visual_segment(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    def sam3_visual_segment(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Segment what points or boxes mark, with SAM 3; arguments as of `sam2_segment_image`.

        Args:
            inference_input: see `ImagesReference`; a list, however nested, asks for each.
            prompts: points and boxes in pixels; None segments everything.
            multimask_output: try several masks where a prompt is ambiguous.
            mask_input_format: of the masks in the answer: "json" (polygons) or "rle".
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `predictions`, the
            `masks` and `confidence` of each prompt.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            segmentation.sam3_visual_segment(
                client._state, inference_input, prompts, multimask_output, mask_input_format
            )
        )

    @overload
    async def sam3_visual_segment_async(
        self,
        inference_input: ImagesReference,
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    async def sam3_visual_segment_async(
        self,
        inference_input: Several,
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> list[dict[str, Any]]: ...

    async def sam3_visual_segment_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        prompts: list[dict[str, Any]] | None = None,
        multimask_output: bool = True,
        mask_input_format: str = "json",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `sam3_visual_segment`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            segmentation.sam3_visual_segment(
                client._state, inference_input, prompts, multimask_output, mask_input_format
            )
        )

    @overload
    def sam3_embed_image(
        self,
        inference_input: ImagesReference,
        image_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    def sam3_embed_image(
        self, inference_input: Several, image_id: str | None = None, **options: Unpack[TaskOptions]
    ) -> list[dict[str, Any]]: ...

    def sam3_embed_image(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        image_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Have SAM 3 prepare images, so that prompts on them are answered faster.

        Args:
            inference_input: see `ImagesReference`.
            image_id: name to keep the preparation under; None lets the server choose.
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            A dict for one image; a list of them, in input order, for several: `image_id`, the
            name that the preparation is kept under.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        client = self._for(options, OF_TASKS)
        return client._run(segmentation.sam3_embed_image(client._state, inference_input, image_id))

    @overload
    async def sam3_embed_image_async(
        self,
        inference_input: ImagesReference,
        image_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]: ...

    @overload
    async def sam3_embed_image_async(
        self, inference_input: Several, image_id: str | None = None, **options: Unpack[TaskOptions]
    ) -> list[dict[str, Any]]: ...

    async def sam3_embed_image_async(
        self,
        inference_input: ImagesReference | Sequence[ImagesReference],
        image_id: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """The async twin of `sam3_embed_image`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            segmentation.sam3_embed_image(client._state, inference_input, image_id)
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
        **options: Unpack[TaskOptions],
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
            options: settings for this call: `color_order`, `timeout`.

        Returns:
            The meshes and the scene, in base64, as the server tells them.

        Raises:
            InvalidParameterError: not exactly one image.
        """
        client = self._for(options, OF_TASKS)
        return client._run(
            segmentation.sam3_3d_infer(
                client._state,
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
        **options: Unpack[TaskOptions],
    ) -> dict[str, Any]:
        """The async twin of `sam3_3d_infer`."""
        client = self._for(options, OF_TASKS)
        return await client._run_async(
            segmentation.sam3_3d_infer(
                client._state,
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
