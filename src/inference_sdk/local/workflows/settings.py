"""What the owner of a server allows its workflows.

Light: read by the server before anything of workflows is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any, Optional, Union


@dataclass(frozen=True)
class WorkflowSettings:
    """What workflows may do, and which are known by name. All is off by default.

    Attributes:
        folder: of JSON files, each a workflow that can be run by its name.
        blocks: Python files with blocks of one's own.
        sinks: the folder that sinks may write into.
        webhooks: whether webhook sinks may send.
        environment: names of environment variables that workflows may read.

    Example:
        >>> LocalServer(workflows=WorkflowSettings(folder="workflows", blocks=("my_blocks.py",)))
    """

    folder: Optional[str] = None
    blocks: Sequence[str] = ()
    sinks: Optional[str] = None
    webhooks: bool = False
    environment: Sequence[str] = ()

    @classmethod
    def of(cls, given: WorkflowsGiven) -> WorkflowSettings:
        """Settings of any form: a folder alone stands for itself."""
        if given is None:
            return cls()
        if isinstance(given, WorkflowSettings):
            return given
        return cls(**given) if isinstance(given, Mapping) else cls(folder=str(given))

    def to_json(self) -> dict[str, Any]:
        """To be handed to another process; `of` reads it."""
        return asdict(self)


WorkflowsGiven = Union[WorkflowSettings, Mapping[str, Any], str, "PathLike[str]", None]
"""Settings, the same as a mapping, or the path of a folder of JSON files."""
