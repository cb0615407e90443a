"""Requests of a bounded size and time.

Only uploads, which are written to disk as they arrive, are large.
"""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOADS = "/api/uploads"
MOST_BYTES = 1 << 20

BODY_S = 30.0  # for the whole of such a body to come

_TOO_LARGE = "This request is too large."


class _TooLarge(Exception):
    """More arrived than may."""


class Bounded:
    """ASGI middleware that refuses bodies of more than a megabyte or of 30 s, but for uploads.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] == UPLOADS:
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        size = int(length) if length.isdecimal() else 0
        size_read, begun, whole = 0, False, False
        ends = anyio.current_time() + BODY_S

        async def counted() -> Message:
            nonlocal size_read, whole
            if whole:  # what comes now is that the person has gone
                return await receive()
            with anyio.move_on_after(max(0.0, ends - anyio.current_time())) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                return {"type": "http.disconnect"}
            whole = not message.get("more_body")
            size_read += len(message.get("body", b""))
            if size_read > MOST_BYTES:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        refused = JSONResponse({"error": _TOO_LARGE}, 413)
        if size > MOST_BYTES:
            await refused(scope, receive, send)
            return
        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            if not begun:
                await refused(scope, receive, send)
