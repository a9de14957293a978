"""What can be wrong with a workflow, and how an answer says so.

One tree: the writer of the specification made a mistake, the caller left an input out, or a step
failed on a picture. Knows nothing of steps; each is a fault of the request, with a body of its own.
"""

from __future__ import annotations

from typing import Any, Optional

from inference_sdk.local.faults import RequestFault


class WorkflowError(RequestFault):
    """Any fault of a workflow; `context` says at which stage it came up."""

    context = "workflow"

    @property
    def body(self) -> dict[str, Any]:
        cause: Optional[BaseException] = self.__cause__
        return {
            "message": str(self),
            "error_type": type(self).__name__,
            "context": self.context,
            "inner_error_type": type(cause).__name__ if cause else None,
            "inner_error_message": str(cause) if cause else None,
        }


class WorkflowSyntaxError(WorkflowError):
    """The specification is not built as it must be: a key is missing, a type is unknown."""

    context = "workflow_compilation | specification_parsing"


class WorkflowReferenceError(WorkflowError):
    """A selector points at nothing, at the wrong kind of thing, or in a circle."""

    context = "workflow_compilation | execution_graph_construction"


class WorkflowInputError(WorkflowError):
    """The caller left an input out, or gave one that does not fit."""

    context = "workflow_execution | runtime_input_validation"


class WorkflowStepError(WorkflowError):
    """A step failed; the cause is kept."""

    context = "workflow_execution | step_execution"
