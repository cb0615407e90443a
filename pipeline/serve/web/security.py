"""Who may ask, from where, and what browsers may do with the answers.

A page on this machine can be reached by every other page that a person has open: those are kept
out by the name of the host (against DNS rebinding: https://crypto.stanford.edu/dns/), by the origin
of a request, and by headers against framing. Whoever asks over the network needs the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "lnln_token"
OPEN = ("/", "/api/login")  # what a person without the token may ask for, besides /page/

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}
_SAFE = ("GET", "HEAD")
_NEVER_SAME = ("cross-site", "same-site")  # Sec-Fetch-Site


def is_loopback(host: str) -> bool:
    """Whether an address that a server listens at can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Names:
    """Names by which this server may be asked for.

    Parameters
    ----------
    host : str
        What it listens at.
    more : iterable of str
        Further names, such as that of a proxy in front of it.
    """

    def __init__(self, host: str, more: Iterable[str] = ()) -> None:
        self._names = {"localhost", "127.0.0.1", "::1", host.lower(), *map(str.lower, more)}
        # Another page's name can be made to lead here; a bare address is nobody else's.
        self._any_address = not is_loopback(host)
        if self._any_address:
            self._names.add(socket.gethostname().lower())

    def __contains__(self, host: object) -> bool:
        """Whether a Host header, with or without a port, is one of them."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._any_address


class Guard:
    """ASGI middleware that lets no other page in, and nobody without the token.

    Parameters
    ----------
    app : ASGI application
    names : Names
    token : str or None
        None: none is needed.
    """

    def __init__(self, app: ASGIApp, names: Names, token: str | None) -> None:
        self._app = app
        self._names = names
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a web socket: there are none

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, with_headers)
        else:
            status, message = refusal
            answer = JSONResponse({"error": message}, status)
            await answer(scope, receive, with_headers)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host not in self._names:
            return 421, (
                "This server does not go by that name. Open it by its address, or start it with "
                "--name and the name you want to use."
            )
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        navigating = method in _SAFE and headers.get("sec-fetch-mode") == "navigate"
        foreign = site in _NEVER_SAME and not (navigating and path == "/")
        if origin is not None and method not in _SAFE:
            # A proxy may speak https where this server hears http: the place is compared.
            foreign = foreign or _place(origin) != host
        if foreign:
            return 403, "This was asked by another web page, which may not use this one."
        if self._token is None or path in OPEN or path.startswith("/page/"):
            return None
        if not self.has_token(headers):
            return 401, "Open this page by the link with the token that lnln serve printed."
        return None

    def has_token(self, headers: Headers) -> bool:
        """Whether a request brings the token, as a cookie or as ``Authorization: Bearer``."""
        scheme, _, said = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same(said.strip(), self._token):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and same(cookie.value, self._token)


def _place(origin: str) -> str | None:
    """Name and port of an Origin header; None: it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def same(said: str, token: str | None) -> bool:
    """Whether a token is the right one, in a time that does not tell how much of it is."""
    return token is not None and hmac.compare_digest(said.encode(), token.encode())
