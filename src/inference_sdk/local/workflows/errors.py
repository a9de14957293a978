"""What can be wrong with a workflow, and how an answer says so.

One tree, split by stage: the specification is wrong, an input does not fit, or a step failed on a
picture. Each is a fault of the request, with a body of its own that names step and field.
Knows nothing of steps.
"""

from __future__ import annotations

from typing import Any, Optional

from inference_sdk.local.faults import RequestFault

PARSING = "workflow_compilation | workflow_definition_parsing"
VALIDATION = "workflow_compilation | specification_validation"
GRAPH = "workflow_compilation | execution_graph_construction"


class WorkflowError(RequestFault):
    """Any fault of a workflow.

    Args:
        message: what is wrong, and what would be right.
        step: name of the step it is about; "$outputs" for an output.
        step_type: its type name.
        field: the property it is about.
    """

    context = "workflow"
    error_type: Optional[str] = None
    """Name on the wire, where it is not the class's own."""

    def __init__(
        self,
        message: str,
        *,
        step: Optional[str] = None,
        step_type: Optional[str] = None,
        field: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.step_type = step_type
        self.field = field

    @property
    def body(self) -> dict[str, Any]:
        cause: Optional[BaseException] = self.__cause__
        return {
            "message": str(self),
            "error_type": self.error_type or type(self).__name__,
            "context": self.context,
            "inner_error_type": type(cause).__name__ if cause else None,
            "inner_error_message": str(cause) if cause else None,
            "blocks_errors": self._blocks_errors(),
        }

    def _blocks_errors(self) -> list[dict[str, Any]]:
        if self.step is None:
            return []
        return [
            {
                "block_id": self.step,
                "block_type": self.step_type,
                "property_name": self.field,
                "property_details": str(self) if self.field else None,
                "block_details": str(self),
                "block_traceback": None,
            }
        ]


class WorkflowDefinitionError(WorkflowError):
    """The specification as a whole cannot be read: it is no object, or its version is none."""

    context = "workflow_compilation | engine_initialisation"


class NotSupportedExecutionEngineError(WorkflowError):
    """The specification asks for a version of the language that is not spoken here."""

    context = "workflow_compilation | engine_initialisation"


class WorkflowSyntaxError(WorkflowError):
    """A part is not built as it must be: a key is missing, a type is unknown, a value is wrong."""

    context = PARSING


class DuplicatedNameError(WorkflowError):
    """Two inputs, steps or outputs have one name."""

    context = VALIDATION


class WorkflowReferenceError(WorkflowError):
    """A selector points at nothing, at the wrong kind of thing, or in a circle."""

    context = GRAPH


class InvalidReferenceTargetError(WorkflowReferenceError):
    """A selector points at nothing."""


class ReferenceTypeError(WorkflowReferenceError):
    """What a selector points at is not of the kind that the field takes."""


class ExecutionGraphStructureError(WorkflowReferenceError):
    """Steps wait for each other, or a selector stands where it cannot."""


class StepInputDimensionalityError(WorkflowReferenceError):
    """Inputs of one step are nested differently."""

    context = GRAPH + " | collecting_step_input_data"


class StepInputLineageError(StepInputDimensionalityError):
    """Inputs of one step are equally deep, but lists of different things."""


class ControlFlowDefinitionError(WorkflowReferenceError):
    """A step of flow control decides on one that runs at another level."""


class WorkflowInputError(WorkflowError):
    """The caller left an input out, or gave one that does not fit."""

    context = "workflow_execution | runtime_input_validation"
    error_type = "RuntimeInputError"


class WorkflowStepError(WorkflowError):
    """A step failed; the cause is kept."""

    context = "workflow_execution | step_execution"
    error_type = "StepExecutionError"


class OperationFault(Exception):
    """An operation or statement cannot be evaluated; the engine adds which step it was.

    Args:
        message: what was wrong.
        place: which operation, as in "<root>[0]".
    """

    error_type = "OperationError"

    def __init__(self, message: str, place: str = "<root>") -> None:
        super().__init__(message)
        self.place = place

    def within(self, place: str) -> OperationFault:
        """The same, one level further out."""
        self.place = place + self.place.removeprefix("<root>")
        return self


class InvalidInputType(OperationFault):
    """An operation was given a value that it cannot take."""

    error_type = "InvalidInputTypeError"


class EvaluationFault(OperationFault):
    """A comparator was given values that it cannot compare."""

    error_type = "EvaluationEngineError"


class UndeclaredSymbol(OperationFault):
    """An operand has a name that nothing was given for."""

    error_type = "UndeclaredSymbolError"


class OperationStepError(WorkflowStepError):
    """A step's operations or statements failed on a value."""

    def __init__(self, fault: OperationFault, *, step: str, step_type: str) -> None:
        super().__init__(f"Step '{step}': {fault}", step=step, step_type=step_type)
        self.error_type = fault.error_type
        self.context = f"step_execution | roboflow_query_language_evaluation | {fault.place}"
