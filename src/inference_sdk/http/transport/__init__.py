"""Sending: pools of kept connections, one sender for threads and one for event loops.

    pools                 `Transport`: whose connections, and for how long
    sync_sender           one request with `requests`
    async_sender          one request with aiohttp
    loop_sessions         a session for each event loop, closed with it
    connection_settings   proxies and certificates
    redirects             which are followed
    json_body, query, body_parts   a request as bytes

What is sent, how often, and what an answer means is decided elsewhere.
"""

from __future__ import annotations

from inference_sdk.http.transport.pools import Transport

__all__ = ["Transport"]
