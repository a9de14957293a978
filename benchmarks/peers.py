"""The clients that are measured, each a black box in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent
ENVIRONMENTS = PROJECT / ".benchmark-venv"


@dataclass(frozen=True)
class Peer:
    """A client: what is installed, and which worker measures it."""

    name: str
    requirement: tuple[str, ...]
    worker: str
    environment: str = ""
    source: Path | None = None
    """Of another tree of ours, to be measured in place of what is installed."""

    @property
    def folder(self) -> Path:
        return ENVIRONMENTS / (self.environment or self.name)

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"

    def variables(self, authority: Path | None = None) -> dict[str, str]:
        """The environment of its processes, which trust this authority."""
        path = {"PYTHONPATH": str(self.source)} if self.source else {}
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if authority else ()
        trust = {name: str(authority) for name in names}
        return {**os.environ, "INFERENCE_WARNINGS_DISABLED": "True", **path, **trust}

    def install(self) -> None:
        """Make its environment, unless it is there."""
        installed = self.folder / "installed"
        if installed.exists():
            return
        print(f"Making {self.folder.relative_to(PROJECT)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.folder)], check=True)
        pip = [str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *self.requirement], check=True)
        installed.touch()

    def version(self) -> str:
        package = self.requirement[-1].partition("=")[0].partition("[")[0]
        name = "inference-sdk" if package == str(PROJECT) else package
        code = f"from importlib.metadata import version; print(version({name!r}))"
        return subprocess.check_output([str(self.python), "-c", code], text=True).strip()


# Editable: the benchmark measures the working tree. trustme makes the far server's certificate.
OURS = Peer("ours", ("trustme", "--editable", str(PROJECT)), "sdk.py")
FLOOR = Peer("floor", OURS.requirement, "floor.py", environment="ours")
BARE = Peer("bare", OURS.requirement, "bare.py", environment="ours")
CORES = Peer("cores", OURS.requirement, "encoding.py", environment="ours")
SDK_18 = Peer("1.8", ("inference-sdk==1.8.3",), "sdk.py", environment="sdk18")
SDK_11 = Peer("1.1", ("inference-sdk==1.1.1",), "sdk.py", environment="sdk11")
HUGGING_FACE = Peer("hf", ("huggingface_hub[inference]",), "hugging_face.py")
OPENAI = Peer("openai", ("openai",), "openai_chat.py")


def beside(tree: Path) -> Peer:
    """Another tree of ours, such as one with a change whose worth is to be known."""
    return replace(OURS, name="beside", environment="ours", source=tree.resolve() / "src")


EVERYONE = (OURS, FLOOR, BARE, CORES, SDK_18, SDK_11, HUGGING_FACE, OPENAI)
