"""Which of several servers gets a request, and what is known of each.

    server   one server: its work in flight, its counts, and whether it is to be trusted
    pool     the choice between them

Pure policy: nothing here connects or waits, and the clock and chance are given.
"""

from __future__ import annotations

from inference_sdk.http.servers.pool import ServerPool
from inference_sdk.http.servers.server import Outcome, ServerStats, Turn

__all__ = ["Outcome", "ServerPool", "ServerStats", "Turn"]
