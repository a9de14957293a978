"""Sending: connections that are kept, and one conversation in HTTP/1.1, for threads and for tasks.

    pools                 `Transport`: whose connections, and for how long
    conversation          one request and its answer, on a connection that is kept or new
    outgoing, json_body, query         a request as bytes
    answer_reading, body_decoding, headers   an answer from bytes, never without a bound
    opening               a connection to a server: proxies, TLS
    links                 what a conversation needs of a connection; how a thread runs it
    blocking_link, loop_link           a connection of a thread, and of an event loop
    kept_links, loop_lines             idle connections
    ways, connection_settings          proxies and certificates
    limits                time, bytes
    redirects             which are followed
    interception, through_requests, through_aiohttp   for whoever listens in on those libraries

What is sent, how often, and what an answer means is decided elsewhere.
"""

from __future__ import annotations

from inference_sdk.http.transport.pools import Transport

__all__ = ["Transport"]
