"""The command line: `inference-sdk`. What it needs beside Python is the extra `cli`.

Only the way in is here, so that a missing extra is one line and not a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code, which `docs/command-line.md` explains.

    Args:
        arguments: what follows the command's name; None takes them from the shell.
    """
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"inference-sdk: the command line needs {error.name}, which is not installed: "
            "pip install 'inference-sdk[cli]'\n"
        )
        return 2
    from inference_sdk.cli.app import run

    return run(sys.argv[1:] if arguments is None else arguments)
