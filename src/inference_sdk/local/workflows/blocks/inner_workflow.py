"""A workflow as a step of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Optional

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Kinds, Outputs, Value

if TYPE_CHECKING:
    from inference_sdk.local.workflows.engine import Workflow


class InnerWorkflow(Block):
    """A specification as a step; its outputs are the step's outputs."""

    TYPES = ("roboflow_core/inner_workflow@v1",)

    execution_mode: Literal["embedded", "remote_dispatch"] = "embedded"
    remote_target: Optional[str] = None
    workflow_definition: Optional[dict[str, Any]] = None
    workflow_workspace_id: Optional[str] = None
    workflow_id: Optional[str] = None
    workflow_version_id: Optional[str] = None
    parameter_bindings: dict[str, Value]

    def outputs(self) -> Mapping[str, Kinds]:
        return dict.fromkeys(self._workflow().outputs, (k.ANY,))

    def run(self) -> Outputs:
        from inference_sdk.local.workflows.engine import State

        state = self.kept("state", State)
        outputs = self._workflow().run(self.parameter_bindings, self.services, state=state)
        return outputs[0]

    def _workflow(self) -> Workflow:
        from inference_sdk.local.workflows.engine import Workflow

        if self.execution_mode == "remote_dispatch":
            raise ValueError(
                "inner_workflow with execution_mode 'remote_dispatch' runs on Roboflow's server; "
                "here there is 'embedded'."
            )
        if self.workflow_definition is None:
            raise ValueError(
                "inner_workflow needs workflow_definition here: the specification itself. By its "
                "id it runs on Roboflow's server."
            )
        return Workflow.of(self.workflow_definition)
