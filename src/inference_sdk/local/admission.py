"""How many requests are taken on at once: those beyond are told to come again.

A request that waits its turn holds its pictures in memory, so the queue has an end. What was taken
on is finished, also when the server is asked to stop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from inference_sdk.local.faults import BusyError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

MAX_QUEUE = 128
"""Requests under way or waiting, by default: with one model some seconds of work."""


class Admission:
    """Counts requests that work is done for."""

    def __init__(self, most: int = MAX_QUEUE) -> None:
        self.most = most
        self.under_way = 0
        self.is_ending = False
        self.cut_off = 0
        """Requests that were taken on and not finished, for the server came to its end."""

    def middleware(self) -> Middleware:
        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method != "POST":
                return await handler(request)
            if self.under_way >= self.most:
                raise BusyError(
                    f"This server has {self.under_way} requests under way, and takes no more than "
                    f"{self.most}. Try again in a moment."
                )
            self.under_way += 1
            try:
                return await handler(request)
            except asyncio.CancelledError:
                self.cut_off += self.is_ending  # else its client is gone
                raise
            finally:
                self.under_way -= 1

        return admit


ADMISSION = web.AppKey("admission", Admission)
