"""What a block is: a pydantic model whose fields are its settings, and one method.

The fields describe the block to the engine, to those who write a specification, and to
`/workflows/blocks/describe`. When a step runs, each field holds its value: references have been
replaced. Knows nothing of running a workflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Optional, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import core_schema

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.detections import Detections
from inference_sdk.local.workflows.images import WorkflowImage
from inference_sdk.local.workflows.selectors import EXAMPLES, Selector

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

T = TypeVar("T")
Outputs = Mapping[str, Any]
Kinds = tuple[str, ...]

WORKFLOW_IMAGE, STEP, STEP_OUTPUT = "workflow_image", "step", "step_output"


@dataclass(frozen=True)
class Takes:
    """Says of a field that it takes a reference to values of these kinds.

    Args:
        kinds: of the values; none for `step`.
        literal: whether the value itself may stand in the specification as well.
        points_to: "step" for a reference to a step as such, "step_output" when inputs are
            refused, "workflow_image" for pictures; else any reference.
    """

    kinds: Kinds
    literal: bool = True
    points_to: str = ""

    def check(self, value: Any) -> None:
        """What can be told of a value without the rest of the specification.

        Raises:
            ValueError: it is no reference where one belongs, or one to the wrong thing.
        """
        if not isinstance(value, Selector):
            if not self.literal:
                raise ValueError(f"must be a reference such as {self._example()}, not a value")
        elif value.is_step != (self.points_to == STEP):
            raise ValueError(f"must be a reference such as {self._example()}, not '{value}'")
        elif self.points_to == STEP_OUTPUT and value.source == "inputs":
            raise ValueError(f"must be an output of a step, not the input '{value}'")

    def _example(self) -> str:
        return "'$steps.name'" if self.points_to == STEP else EXAMPLES

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        inner = handler(source) if self.literal else core_schema.any_schema()

        def validate(value: Any, handle: Callable[[Any], Any]) -> Any:
            self.check(value)
            return value if isinstance(value, Selector) else handle(value)

        return core_schema.no_info_wrap_validator_function(validate, inner)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference: dict[str, Any] = {
            "type": "string",
            "reference": True,
            "kind": [{"name": kind} for kind in self.kinds],
            "selected_element": self.points_to or "any_data",
            "pattern": r"^\$(inputs|steps)\.",
        }
        if not self.literal:
            return reference
        return {"anyOf": [handler(schema), reference]}


def refers(*kinds: str, to: str = "") -> Takes:
    """For `Annotated`: the field takes a reference only."""
    return Takes(kinds, literal=False, points_to=to)


def takes(*kinds: str) -> Takes:
    """For `Annotated`: the field takes a value, or a reference to one."""
    return Takes(kinds)


# Fields that many blocks have; all others are written out as these are.
Image = Annotated[WorkflowImage, refers(k.IMAGE)]
Boxes = Annotated[Detections, refers(*k.BOXES)]
AnyBoxes = Annotated[Detections, refers(*k.ALL_BOXES)]
Value = Annotated[Any, refers(k.ANY)]
NextStep = Annotated[Selector, refers(to=STEP)]
Text = Annotated[str, takes(k.STRING)]
Whole = Annotated[int, takes(k.INTEGER)]
Number = Annotated[float, takes(k.FLOAT)]
Fraction = Annotated[float, Field(ge=0, le=1), takes(k.FRACTION)]
Flag = Annotated[bool, takes(k.BOOLEAN)]


@dataclass
class StepContext:
    """What a step has beside its fields.

    Attributes:
        step: its name.
        services: what the server lends to workflows.
        kept: what the step keeps from one picture to the next; see `Block.kept`.
        shared: what all steps keep together; see `Block.shared`.
    """

    step: str
    services: Services
    kept: dict[Any, Any] = field(default_factory=dict)
    shared: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Services:
    """What the server lends to the steps of a workflow.

    Attributes:
        models: where model steps find their models: `get(model_id)`.
        sinks_directory: the folder that sinks may write into; None: they may not.
        webhooks: sends what webhook sinks send; None: they may not.
        workflows: finds a workflow's specification by workspace, id and version.
        environment: names of environment variables that a workflow may read.
    """

    models: Any = None
    sinks_directory: Optional[str] = None
    webhooks: Optional[Callable[..., Any]] = None
    workflows: Optional[Callable[[str, str, Optional[str]], Mapping[str, Any]]] = None
    environment: frozenset[str] = frozenset()


class Block(BaseModel):
    """A type of step. Subclass it, name it, say what it takes and gives out, and write `run`.

    Class attributes:
        TYPES: its type names in specifications; the first is the name, others are old spellings.
        OUTPUTS: the kinds of each output.
        DIMENSIONS: how much deeper than the rest a field is nested: with 1, the block gets a list
            of all values of one level.
        OUTPUT_DIMENSION: 1 where outputs are lists that the next steps run on element by
            element (crops); -1 where a level is gathered into one value.
        TAKES_NULL: whether it runs where a value is missing; others are left out there.
        WAITS: whether it takes long (models, network), so that it runs beside others.

    Example:
        >>> class Invert(Block):
        ...     '''The negative of a picture.'''
        ...     TYPES = ("my/invert@v1",)
        ...     OUTPUTS = {"image": (IMAGE,)}
        ...     image: Image
        ...     strength: Fraction = 1.0
        ...     def run(self):
        ...         return {"image": self.image.with_pixels(255 - self.image.pixels)}
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore", protected_namespaces=())

    TYPES: ClassVar[Sequence[str]] = ()
    OUTPUTS: ClassVar[Mapping[str, Kinds]] = {}
    DIMENSIONS: ClassVar[Mapping[str, int]] = {}
    OUTPUT_DIMENSION: ClassVar[int] = 0
    TAKES_NULL: ClassVar[bool] = False
    WAITS: ClassVar[bool] = False

    _context: StepContext = PrivateAttr()

    def run(self) -> Any:
        """The outputs by name, for one element of the batch.

        With OUTPUT_DIMENSION = 1 each output is a list, all of one length. Flow control gives the
        steps that go on instead (see `FlowBlock`).
        """
        raise NotImplementedError

    @classmethod
    def run_batch(cls, elements: Sequence[Any]) -> list[Any]:
        """`run` on all elements of a batch; for blocks that do better with all at once."""
        return [element.run() for element in elements]

    def outputs(self) -> Mapping[str, Kinds]:
        """The outputs of this step, where they depend on its fields; else OUTPUTS.

        Called once, when the specification is read: fields that are references hold `Selector`s.
        """
        return self.OUTPUTS

    def asks(self) -> Sequence[Any]:
        """Ids of the models that this step asks; a `Selector` where a reference says which.

        For `/workflows/describe_workload`; called when the specification is read.
        """
        model_id = getattr(self, "model_id", None)
        return [] if model_id is None else [model_id]

    @property
    def services(self) -> Services:
        """What the server lends."""
        return self._context.services

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """What this step keeps from one picture to the next: on first use, what `make` makes.

        Lives as long as a stream, or as a request. `key` is mostly `image.video_identifier`, so
        that each video has its own.
        """
        return _found_or_made(self._context.kept, key, make)

    def shared(self, key: Any, make: Callable[[], T]) -> T:
        """The same, shared by all steps of the workflow."""
        return _found_or_made(self._context.shared, key, make)

    @classmethod
    def rules(cls) -> Mapping[str, FieldRule]:
        """What each field says of references."""
        return _rules(cls)


def _found_or_made(kept: dict[Any, Any], key: Any, make: Callable[[], T]) -> T:
    if key not in kept:
        kept[key] = make()
    found: T = kept[key]
    return found


class FlowBlock(Block):
    """A block that says which steps go on. Its `run` gives these `Selector`s, as a list."""

    def targets(self) -> list[Selector]:
        """All steps it decides on."""
        raise NotImplementedError


@dataclass(frozen=True)
class FieldRule:
    """Which references a field takes: as a whole, and within its list or map."""

    whole: Optional[Takes] = None
    items: Optional[Takes] = None


@cache
def _rules(block: type[Block]) -> Mapping[str, FieldRule]:
    return {
        name: FieldRule(_takes_in(info.annotation, info.metadata), _takes_in_items(info.annotation))
        for name, info in block.model_fields.items()
    }


def _takes_in(annotation: Any, metadata: Sequence[Any] = ()) -> Optional[Takes]:
    """The `Takes` of an annotation itself, or of a member of a union."""
    found = [item for item in metadata if isinstance(item, Takes)]
    if found:
        return found[0]
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _takes_in(inner, more)
    if _is_union(annotation):
        members = (_takes_in(member) for member in get_args(annotation))
        return next((member for member in members if member is not None), None)
    return None


def _takes_in_items(annotation: Any) -> Optional[Takes]:
    """The `Takes` of what is in a list or map."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _takes_in_items(get_args(annotation)[0])
    if _is_union(annotation):
        members = (_takes_in_items(member) for member in get_args(annotation))
        return next((member for member in members if member is not None), None)
    return _takes_in(get_args(annotation)[-1]) if origin in (list, dict) else None


def _is_union(annotation: Any) -> bool:
    import types
    from typing import Union

    return get_origin(annotation) in (Union, types.UnionType)
