"""Which server answers: the one that was named, else one of our own for as long as it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from inference_sdk.cli.failures import require

EMBEDDED = "the embedded server"


@contextmanager
def server_address(api_url: str | None) -> Iterator[str]:
    """Address of the server to ask; the embedded one runs within the `with` block.

    Raises:
        CommandError: no address is given, and the embedded server is not installed.
    """
    if api_url:
        yield api_url
        return
    require("onnxruntime", extra="local", purpose="Without --api-url, the embedded server")
    from inference_sdk.local import LocalServer

    with LocalServer() as server, _no_proxy_for("127.0.0.1"):
        yield server.url


@contextmanager
def _no_proxy_for(host: str) -> Iterator[None]:
    """Reach a host directly, whatever proxy the environment names: it would not find our server."""
    name = "no_proxy"
    before = os.environ.get(name)
    inherited = before or os.environ.get(name.upper())
    os.environ[name] = f"{inherited},{host}" if inherited else host
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
