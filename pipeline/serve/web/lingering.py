"""A refusal that whoever is still sending gets to read."""

from __future__ import annotations

import json

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipeline.serve.refusals import Refusal

_MOST_BYTES = 64 << 20  # read and thrown away, so that the answer is not lost
_MOST_S = 5.0


class Lingering(Response):
    """The answer to an upload that is refused before all of it has arrived.

    A connection that is closed with unread bytes in it is reset, and the answer on its way is lost
    (RFC 9112, section 9.6). So what is sent is read for a while, and thrown away.

    Parameters
    ----------
    refusal : Refusal
    request : Request
        Whose body was not read to its end.
    """

    media_type = "application/json"

    def __init__(self, refusal: Refusal, request: Request) -> None:
        headers = {"Connection": "close"}
        if refusal.retry_s is not None:
            headers["Retry-After"] = str(refusal.retry_s)
        super().__init__(json.dumps({"error": refusal.message}), refusal.status, headers)
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and go on reading."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            with anyio.move_on_after(_MOST_S):
                await self._drain(receive)
        except ClientDisconnect:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self, receive: Receive) -> None:
        size = 0
        while size < _MOST_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return
            size += len(message.get("body", b""))
