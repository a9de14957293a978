"""Where a stream begins: from what a caller wants to a session, checked, nothing sent yet.

Loads neither aiortc nor numpy: the HTTP client offers this as a property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from inference_sdk.http.entities import ApiKeyTransport
from inference_sdk.http.errors import InvalidParameterError
from inference_sdk.http.utils.requests import shown_url
from inference_sdk.http.withheld import (
    KeepsSecrets,
    Withheld,
    environment_key,
    require,
    without_password,
)
from inference_sdk.utils.decorators import experimental
from inference_sdk.webrtc.config import StreamConfig

if TYPE_CHECKING:
    from inference_sdk.webrtc.diagnose import Diagnosis
    from inference_sdk.webrtc.session import WebRTCSession
    from inference_sdk.webrtc.sources import StreamSource


class WebRTCClient(KeepsSecrets):
    """Makes streams to one server.

    A pickle does not hold the key: the other side takes it from `ROBOFLOW_API_KEY`.

    Args:
        api_url: address of an inference server with WebRTC.
        api_key: None for a server of one's own that wants none.
        api_key_transport: "legacy": the key is in the request's body; "both": also in the
            header `Authorization: Bearer`; "header": only there.
    """

    @experimental(info="Streaming over WebRTC may change without notice.")
    def __init__(
        self, api_url: str, api_key: Optional[str], api_key_transport: str = "legacy"
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._api_key = api_key
        self._api_key_transport = ApiKeyTransport.parse(api_key_transport)

    def _withheld(self) -> dict[str, Optional[Withheld]]:
        return {
            "_api_url": without_password(self._api_url),
            "_api_key": None if self._api_key is None else Withheld(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if isinstance(self._api_key, Withheld):
            self._api_key = environment_key() or self._api_key

    def __repr__(self) -> str:
        return f"WebRTCClient(api_url={shown_url(self._api_url)!r})"

    def stream(
        self,
        source: StreamSource,
        *,
        workflow: Optional[Union[str, dict[str, Any]]] = None,
        model_id: Optional[str] = None,
        task_type: Optional[str] = None,
        image_input: str = "image",
        workspace: Optional[str] = None,
        config: Optional[StreamConfig] = None,
    ) -> WebRTCSession:
        """Prepare a stream through a workflow, or through a model. It starts on first use.

        Args:
            source: what to stream.
            workflow: a specification (dict), or the id of one in `workspace`.
            model_id: a model, instead of a workflow; frame handlers then get
                (frame, predictions).
            task_type: of the model, for example "object-detection"; None asks the platform,
                which needs a key, and blocks for up to 10 s.
            image_input: name of the workflow's image input.
            workspace: of the workflow id.
            config: what comes back, and how; None takes the defaults.

        Returns:
            A session, which starts on first use.

        Raises:
            InvalidParameterError: not exactly one of workflow and model_id, a workflow of
                another type, or an id without its workspace.
            ModelTaskTypeNotSupportedError: models of this task cannot be streamed.

        Example:
            >>> session = client.webrtc.stream(WebcamSource(), model_id="coco/3",
            ...                                task_type="object-detection")
        """
        require(self)
        if (workflow is None) == (model_id is None):
            raise InvalidParameterError("stream() takes either workflow or model_id.")
        if model_id is not None:
            return self._stream_model(source, model_id, task_type, config)
        return self._session(
            source, image_input, _workflow_fields(workflow, workspace), config or StreamConfig()
        )

    def diagnose(self, *, config: Optional[StreamConfig] = None) -> Diagnosis:
        """Find out what of signalling, STUN and TURN works from here, and what to do.

        Takes some seconds. Nothing is streamed, and no worker is started.

        Args:
            config: what a stream would be made with; None takes the defaults.

        Returns:
            What worked, what did not, and what to do; see `Diagnosis`.

        Raises:
            RuntimeError: called on a running event loop; await `diagnose_async` there.
        """
        import asyncio

        return asyncio.run(self.diagnose_async(config=config))

    async def diagnose_async(self, *, config: Optional[StreamConfig] = None) -> Diagnosis:
        """As `diagnose`, for async programs.

        Args:
            config: what a stream would be made with; None takes the defaults.

        Returns:
            As of `diagnose`.
        """
        from inference_sdk.webrtc.diagnose import diagnose
        from inference_sdk.webrtc.errors import require_aiortc
        from inference_sdk.webrtc.signalling import Server

        require_aiortc()
        require(self)
        server = Server(self._api_url, self._api_key, self._api_key_transport)
        return await diagnose(server, config or StreamConfig())

    def _stream_model(
        self,
        source: StreamSource,
        model_id: str,
        task_type: Optional[str],
        config: Optional[StreamConfig],
    ) -> WebRTCSession:
        from inference_sdk.webrtc import model_workflows

        task = model_workflows.resolve_task_type(model_id, task_type, self._api_key)
        specification = model_workflows.build_model_workflow(model_id, task)
        return self._session(
            source,
            model_workflows.IMAGE_INPUT,
            {"workflow_specification": specification},
            model_workflows.apply_model_id_defaults(config),
            model_mode=True,
            predictions_output=model_workflows.PREDICTIONS_OUTPUT,
        )

    def _session(
        self,
        source: StreamSource,
        image_input: str,
        workflow_fields: dict[str, Any],
        config: StreamConfig,
        **model: Any,
    ) -> WebRTCSession:
        from inference_sdk.webrtc.session import WebRTCSession

        return WebRTCSession(
            api_url=self._api_url,
            api_key=self._api_key,
            source=source,
            image_input_name=image_input,
            workflow_config=workflow_fields,
            stream_config=config,
            api_key_transport=self._api_key_transport.value,
            **model,
        )


def _workflow_fields(workflow: object, workspace: Optional[str]) -> dict[str, Any]:
    if isinstance(workflow, dict):
        return {"workflow_specification": workflow}
    if not isinstance(workflow, str):
        raise InvalidParameterError(
            "workflow must be a specification (dict) or an id (str), "
            f"not {type(workflow).__name__}."
        )
    if not workspace:
        raise InvalidParameterError(
            f"The workflow {workflow!r} is named by its id, which needs its workspace: "
            "stream(workflow=..., workspace=...)."
        )
    return {"workflow_id": workflow, "workspace_name": workspace}
