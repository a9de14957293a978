"""Workflows that a server knows by name: registered by a program, or read from a folder.

Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import orjson
from aiohttp import web

from inference_sdk.local.faults import RequestFault

if TYPE_CHECKING:
    from inference_sdk.local.workflows.engine import Workflow

Specification = Mapping[str, Any]


class UnknownWorkflowError(RequestFault):
    """A workflow that was not registered at this server."""

    status = 404


class NamedWorkflows:
    """Workflows by workspace and id, each perhaps in several versions.

    Args:
        folder: of JSON files: `find-cups.json` is found by its id in any workspace,
            `my-workspace/find-cups.json` in that one; read anew at each request, so that an
            editor's changes count at once.

    Example:
        >>> app[WORKFLOWS].register("my-workspace", "find-cups", specification)
    """

    def __init__(self, folder: Union[str, Path, None] = None) -> None:
        self._folder = None if folder is None else Path(folder).resolve()
        if self._folder is not None and not self._folder.is_dir():
            raise NotADirectoryError(f"The folder of workflows {folder} is not there.")
        self._registered: dict[tuple[str, str, Optional[str]], Specification] = {}

    def register(
        self,
        workspace: str,
        workflow_id: str,
        specification: Specification,
        version: Optional[str] = None,
    ) -> None:
        """Make a workflow known, replacing what had its name and version.

        Raises:
            WorkflowError: the specification is wrong.
        """
        from inference_sdk.local.workflows.engine import Workflow

        Workflow.of(specification)
        self._registered[workspace, workflow_id, version] = specification

    def get(self, workspace: str, workflow_id: str, version: Optional[str] = None) -> Workflow:
        """The workflow of a name.

        Raises:
            UnknownWorkflowError: there is none; says which there are.
            WorkflowError: the specification in the file is wrong.
        """
        from inference_sdk.local.workflows.engine import Workflow

        return Workflow.of(self.specification(workspace, workflow_id, version))

    def specification(
        self, workspace: str, workflow_id: str, version: Optional[str] = None
    ) -> Specification:
        """Its specification.

        Raises:
            UnknownWorkflowError: there is none; says which there are.
        """
        found = self._registered.get((workspace, workflow_id, version))
        if found is None and self._folder is not None:
            found = self._read(workspace, workflow_id)
        if found is None:
            wanted = f"'{workspace}/{workflow_id}'" + (f", version {version}" if version else "")
            raise UnknownWorkflowError(
                f"This server has no workflow {wanted}. There are: {self._known()}. Send the "
                "specification itself, or start the server with --workflows and a folder of "
                "JSON files."
            )
        return found

    def _read(self, workspace: str, workflow_id: str) -> Optional[Specification]:
        file = self._files().get(f"{workspace}/{workflow_id}") or self._files().get(workflow_id)
        if file is None:
            return None
        try:
            read = orjson.loads(file.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise UnreadableWorkflowError(
                f"The workflow in {file.name} cannot be read: {error}"
            ) from error
        # As it is exported by Roboflow's editor: wrapped, or the specification alone.
        return read.get("specification", read) if isinstance(read, dict) else read

    def _files(self) -> dict[str, Path]:
        """Files by the names they are asked for; only what really lies in the folder counts, so
        that no name leads out of it.
        """
        if self._folder is None:
            return {}
        found = [*self._folder.glob("*.json"), *self._folder.glob("*/*.json")]
        return {file.relative_to(self._folder).with_suffix("").as_posix(): file for file in found}

    def _known(self) -> str:
        names = {f"{space}/{name}" for space, name, _ in self._registered}
        return ", ".join(sorted({*names, *self._files()})) or "none"


class UnreadableWorkflowError(RequestFault):
    """A file of the folder that is no JSON."""


WORKFLOWS = web.AppKey("workflows", NamedWorkflows)
