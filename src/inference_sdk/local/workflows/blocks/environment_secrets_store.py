"""Variables of the server's environment: only those that its owner lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from inference_sdk.local.workflows import kinds as k
from inference_sdk.local.workflows.block import Block, Kinds, Outputs


class EnvironmentSecretsStore(Block):
    """Environment variables as outputs, named in small letters."""

    TYPES = ("roboflow_core/environment_secrets_store@v1",)

    variables_storing_secrets: Annotated[list[str], Field(min_length=1)]

    def outputs(self) -> Mapping[str, Kinds]:
        return {name.lower(): (k.SECRET,) for name in self.variables_storing_secrets}

    def run(self) -> Outputs:
        refused = sorted(set(self.variables_storing_secrets) - self.services.environment)
        if refused:
            raise ValueError(
                f"This server lets workflows read no {', '.join(refused)} of its environment. "
                "Start it with WorkflowSettings(environment=(name, …))."
            )
        return {name.lower(): os.environ.get(name) for name in self.variables_storing_secrets}
