"""Calls that run workflows: on images given here, or on videos that the server opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from inference_sdk.http.boundary import boundary
from inference_sdk.http.call_options import OF_WORKFLOWS, WorkflowOptions
from inference_sdk.http.client_base import ClientBase, given
from inference_sdk.http.operations import pipelines, workflows
from inference_sdk.utils.decorators import deprecated, experimental

BufferFillingStrategy = Literal[
    "WAIT", "DROP_OLDEST", "ADAPTIVE_DROP_OLDEST", "DROP_LATEST", "ADAPTIVE_DROP_LATEST"
]
BufferConsumptionStrategy = Literal["LAZY", "EAGER"]

PIPELINES_MAY_CHANGE = (
    "video processing in the server is under development, breaking changes are possible"
)

if TYPE_CHECKING:
    from typing_extensions import Unpack


@boundary
class WorkflowCalls(ClientBase):
    """Part of `InferenceHTTPClient`: workflows and pipelines.

    An empty `pipeline_id` is an `InvalidParameterError`, before anything is sent.
    """

    def run_workflow(
        self,
        workspace_name: str | None = None,
        workflow_id: str | None = None,
        specification: dict[str, Any] | None = None,
        images: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        excluded_fields: list[str] | None = None,
        use_cache: bool = True,
        enable_profiling: bool = False,
        workflow_version_id: str | None = None,
        disable_sinks: bool = False,
        **options: Unpack[WorkflowOptions],
    ) -> list[dict[str, Any]]:
        """Run a workflow on images.

        Either `workspace_name` and `workflow_id`, or `specification`.

        Args:
            workspace_name: workspace of a workflow that is kept at Roboflow.
            workflow_id: its id.
            specification: a workflow as a dict.
            images: images by input name; a list, however nested, is a batch.
            parameters: other inputs by name; numpy values, dates, paths and enums become JSON.
            excluded_fields: outputs to leave out of the answer.
            use_cache: let the server reuse the definition that it fetched before.
            enable_profiling: write the server's trace to `profiling_directory`.
            workflow_version_id: a version other than the latest.
            disable_sinks: run without writing anywhere (servers from 1.5).
            options: settings for this call: `color_order`, `output_visualisation_format`,
                `timeout`.

        Returns:
            A dict of outputs for each image of the batch; pictures in them, at any depth, are
            in the configured format (`output_visualisation_format`).

        Raises:
            InvalidParameterError: both ways to name a workflow, or neither.
        """
        arguments = given(locals())
        client = self._for(arguments.pop("options"), OF_WORKFLOWS)
        return client._run(workflows.run_workflow(client._state, **arguments))

    async def run_workflow_async(
        self,
        workspace_name: str | None = None,
        workflow_id: str | None = None,
        specification: dict[str, Any] | None = None,
        images: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        excluded_fields: list[str] | None = None,
        use_cache: bool = True,
        enable_profiling: bool = False,
        workflow_version_id: str | None = None,
        disable_sinks: bool = False,
        **options: Unpack[WorkflowOptions],
    ) -> list[dict[str, Any]]:
        """The async twin of `run_workflow`."""
        arguments = given(locals())
        client = self._for(arguments.pop("options"), OF_WORKFLOWS)
        return await client._run_async(workflows.run_workflow(client._state, **arguments))

    @deprecated("use `run_workflow` instead")
    def infer_from_workflow(
        self,
        workspace_name: str | None = None,
        workflow_name: str | None = None,
        specification: dict[str, Any] | None = None,
        images: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        excluded_fields: list[str] | None = None,
        use_cache: bool = True,
        enable_profiling: bool = False,
        workflow_version_id: str | None = None,
        disable_sinks: bool = False,
    ) -> list[dict[str, Any]]:
        """As `run_workflow`, at the addresses of servers before it.

        Args:
            workspace_name: workspace of a workflow that is kept at Roboflow.
            workflow_name: its name there.
            specification: a workflow as a dict, in place of both.
            images: images by input name; a list, however nested, is a batch.
            parameters: other inputs by name.
            excluded_fields: outputs to leave out of the answer.
            use_cache: let the server reuse the definition that it fetched before.
            enable_profiling: write the server's trace to `profiling_directory`.
            workflow_version_id: a version other than the latest.
            disable_sinks: run without writing anywhere.

        Returns:
            As of `run_workflow`.

        Raises:
            InvalidParameterError: both ways to name a workflow, or neither.
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(workflows.infer_from_workflow(self._state, **given(locals())))

    @deprecated("use `run_workflow` instead")
    async def infer_from_workflow_async(
        self,
        workspace_name: str | None = None,
        workflow_name: str | None = None,
        specification: dict[str, Any] | None = None,
        images: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        excluded_fields: list[str] | None = None,
        use_cache: bool = True,
        enable_profiling: bool = False,
        workflow_version_id: str | None = None,
        disable_sinks: bool = False,
    ) -> list[dict[str, Any]]:
        """The async twin of `infer_from_workflow`."""
        return await self._run_async(workflows.infer_from_workflow(self._state, **given(locals())))

    # -- pipelines -----------------------------------------------------------------------------

    @experimental(PIPELINES_MAY_CHANGE)
    def start_inference_pipeline_with_workflow(
        self,
        video_reference: str | int | list[str | int],
        workflow_specification: dict[str, Any] | None = None,
        workspace_name: str | None = None,
        workflow_id: str | None = None,
        image_input_name: str = "image",
        workflows_parameters: dict[str, Any] | None = None,
        workflows_thread_pool_workers: int = 4,
        cancel_thread_pool_tasks_on_exit: bool = True,
        video_metadata_input_name: str = "video_metadata",
        max_fps: float | int | None = None,
        source_buffer_filling_strategy: BufferFillingStrategy | None = "DROP_OLDEST",
        source_buffer_consumption_strategy: BufferConsumptionStrategy | None = "EAGER",
        video_source_properties: dict[str, float | str] | None = None,
        batch_collection_timeout: float | None = None,
        results_buffer_size: int = 64,
    ) -> dict[str, Any]:
        """Have the server run a workflow on a video source that it opens itself.

        Args:
            video_reference: file, URL or camera number, as the server sees it; or several.
            workflow_specification: a workflow as a dict; else a name, as of `run_workflow`.
            workspace_name: workspace of a workflow that is kept at Roboflow.
            workflow_id: its id.
            image_input_name: the input of the workflow that gets the frames.
            workflows_parameters: its other inputs.
            workflows_thread_pool_workers: threads that run steps.
            cancel_thread_pool_tasks_on_exit: do not wait for them at the end.
            video_metadata_input_name: the input that gets frame number and time.
            max_fps: frames a second at most.
            source_buffer_filling_strategy: what to do when frames come faster than they are
                used.
            source_buffer_consumption_strategy: which of the waiting frames to use.
            video_source_properties: of the camera, by OpenCV's names.
            batch_collection_timeout: seconds to wait for the slowest of several sources.
            results_buffer_size: results kept until they are consumed.

        Returns:
            `status` and `context`, whose `pipeline_id` the calls below take.

        Raises:
            InvalidParameterError: both ways to name a workflow, or neither.
        """
        return self._run(pipelines.start(self._state, **given(locals())))

    @experimental(PIPELINES_MAY_CHANGE)
    async def start_inference_pipeline_with_workflow_async(
        self,
        video_reference: str | int | list[str | int],
        workflow_specification: dict[str, Any] | None = None,
        workspace_name: str | None = None,
        workflow_id: str | None = None,
        image_input_name: str = "image",
        workflows_parameters: dict[str, Any] | None = None,
        workflows_thread_pool_workers: int = 4,
        cancel_thread_pool_tasks_on_exit: bool = True,
        video_metadata_input_name: str = "video_metadata",
        max_fps: float | int | None = None,
        source_buffer_filling_strategy: BufferFillingStrategy | None = "DROP_OLDEST",
        source_buffer_consumption_strategy: BufferConsumptionStrategy | None = "EAGER",
        video_source_properties: dict[str, float | str] | None = None,
        batch_collection_timeout: float | None = None,
        results_buffer_size: int = 64,
    ) -> dict[str, Any]:
        """The async twin of `start_inference_pipeline_with_workflow`."""
        return await self._run_async(pipelines.start(self._state, **given(locals())))

    @experimental(PIPELINES_MAY_CHANGE)
    def list_inference_pipelines(self) -> Any:
        """Pipelines of the server.

        Returns:
            The ids of the pipelines, as the server tells them.

        Raises:
            HTTPClientError: there was no answer, or the server refused.
        """
        return self._run(pipelines.list_all(self._state))

    @experimental(PIPELINES_MAY_CHANGE)
    async def list_inference_pipelines_async(self) -> Any:
        """The async twin of `list_inference_pipelines`."""
        return await self._run_async(pipelines.list_all(self._state))

    @experimental(PIPELINES_MAY_CHANGE)
    def get_inference_pipeline_status(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """State of a pipeline and of its sources.

        Args:
            pipeline_id: of the pipeline, as `list_inference_pipelines` names it.

        Returns:
            `report`, the state of the pipeline and of each source, as the server tells it.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(pipelines.status(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    async def get_inference_pipeline_status_async(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """The async twin of `get_inference_pipeline_status`."""
        return await self._run_async(pipelines.status(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    def pause_inference_pipeline(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """Stop a pipeline from reading frames, until it is resumed.

        Args:
            pipeline_id: of the pipeline, as `list_inference_pipelines` names it.

        Returns:
            `status` of the request, and `context` with its `request_id` and the `pipeline_id`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(pipelines.pause(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    async def pause_inference_pipeline_async(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """The async twin of `pause_inference_pipeline`."""
        return await self._run_async(pipelines.pause(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    def resume_inference_pipeline(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """Let a paused pipeline go on.

        Args:
            pipeline_id: of the pipeline, as `list_inference_pipelines` names it.

        Returns:
            `status` of the request, and `context` with its `request_id` and the `pipeline_id`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(pipelines.resume(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    async def resume_inference_pipeline_async(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """The async twin of `resume_inference_pipeline`."""
        return await self._run_async(pipelines.resume(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    def terminate_inference_pipeline(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """End a pipeline.

        Args:
            pipeline_id: of the pipeline, as `list_inference_pipelines` names it.

        Returns:
            `status` of the request, and `context` with its `request_id` and the `pipeline_id`.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(pipelines.terminate(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    async def terminate_inference_pipeline_async(
        self,
        pipeline_id: str,
    ) -> dict[str, Any]:
        """The async twin of `terminate_inference_pipeline`."""
        return await self._run_async(pipelines.terminate(self._state, pipeline_id))

    @experimental(PIPELINES_MAY_CHANGE)
    def consume_inference_pipeline_result(
        self,
        pipeline_id: str,
        excluded_fields: list[str] | None = None,
    ) -> dict[str, Any]:
        """Take the oldest result that waits at the server.

        Args:
            pipeline_id: of the pipeline.
            excluded_fields: outputs to leave out.

        Returns:
            `outputs` of the workflow for each source, and `frames_metadata`; both empty where
            none waits.

        Raises:
            HTTPClientError: an argument is wrong, there was no answer, or the server refused.
        """
        return self._run(pipelines.consume(self._state, pipeline_id, excluded_fields))

    @experimental(PIPELINES_MAY_CHANGE)
    async def consume_inference_pipeline_result_async(
        self,
        pipeline_id: str,
        excluded_fields: list[str] | None = None,
    ) -> dict[str, Any]:
        """The async twin of `consume_inference_pipeline_result`."""
        return await self._run_async(pipelines.consume(self._state, pipeline_id, excluded_fields))
